/** A WebRTC session whose frames the page opens, as the player has a session over WebTransport: in the worker. */

import {
  type ClientMessage,
  PROTOCOL_VERSION,
  type RelayMessage,
  readCarried,
  type Status,
  type Welcome,
  WireError,
} from '@steadycast/codec-glue';
import { RelayClock } from '../../session/clock.ts';
import type { Carrier } from '../carrier.ts';
import { CarriedGroups } from './groups.ts';
import type { CarriedWord, Transformer } from './words.ts';

type Open = Extract<CarriedWord, { kind: 'open' }>;

/** Over HTTP the relay says something every second, and answers nothing in between. */
const HEARTBEAT_MS = 1_000;
/** As much later than over WebTransport its silence means something. */
const UNHURRIED_MS = 600;

export interface CarriedSessionEvents {
  say: (message: ClientMessage) => void;
  /** So many frames have come. */
  onFrames: (frames: number) => void;
}

export class CarriedSession implements Carrier {
  readonly clock: RelayClock;
  readonly welcome: Welcome;
  rttUs: number;
  readonly #intake: CarriedIntake;
  readonly #say: (message: ClientMessage) => void;
  #status: Status;

  constructor(open: Open, intake: CarriedIntake, say: (message: ClientMessage) => void) {
    const { session, broadcast, clock, status } = open;
    this.clock = new RelayClock(clock);
    this.rttUs = this.clock.rttUs;
    this.#status = status;
    this.#intake = intake;
    this.#say = say;
    this.welcome = {
      type: 'welcome',
      version: PROTOCOL_VERSION,
      session,
      broadcast,
      resume: null,
      heartbeatMs: HEARTBEAT_MS,
      relayUs: this.clock.relayUs(intake.beganUs),
      status,
    };
    intake.heard();
  }

  get silentMs(): number {
    return Math.max(0, performance.now() - this.#intake.heardMs - UNHURRIED_MS);
  }

  heard(): void {
    this.#intake.heard();
  }

  groups(): ReadableStream<ReadableStream<Uint8Array>> {
    return this.#intake.groups.streams;
  }

  onDatagram(listener: ((bytes: Uint8Array) => void) | null): void {
    this.#intake.onDatagram = listener;
  }

  onMessage(listener: (message: RelayMessage) => void): () => void {
    return this.#intake.listen((message) => {
      if (message.type === 'status') this.#status = message.status;
      listener(message);
    });
  }

  onStatus(listener: (status: Status) => void): () => void {
    listener(this.#status);
    return this.onMessage((message) => {
      if (message.type === 'status') listener(message.status);
    });
  }

  send(message: ClientMessage): void {
    this.#say(message);
  }
}

/** What comes of a session, from before it is open. */
export class CarriedIntake {
  readonly groups = new CarriedGroups();
  /** When it began, on the local clock. */
  readonly beganUs: number;
  onDatagram: ((bytes: Uint8Array) => void) | null = null;
  heardMs = performance.now();
  readonly #onFrames: (frames: number) => void;
  readonly #listeners = new Set<(message: RelayMessage) => void>();
  /** What was said before anybody listened: of each kind the newest. */
  readonly #unheard = new Map<RelayMessage['type'], RelayMessage>();
  #frames = 0;

  constructor(beganUs: number, onFrames: (frames: number) => void) {
    this.beganUs = beganUs;
    this.#onFrames = onFrames;
  }

  heard(): void {
    this.heardMs = performance.now();
  }

  said(message: RelayMessage): void {
    this.heard();
    if (this.#listeners.size === 0) this.#unheard.set(message.type, message);
    for (const listener of this.#listeners) listener(message);
  }

  listen(listener: (message: RelayMessage) => void): () => void {
    this.#listeners.add(listener);
    const unheard = [...this.#unheard.values()];
    this.#unheard.clear();
    for (const message of unheard) listener(message);
    return () => this.#listeners.delete(listener);
  }

  /** Takes what a receiver brings; nothing of it goes on to the browser's own decoder. */
  async read({ readable, options: { media } }: Transformer): Promise<void> {
    const frames = readable.getReader();
    try {
      for (;;) {
        const { value, done } = await frames.read();
        if (done) return;
        this.heard();
        const bytes = new Uint8Array(value.data);
        if (media === 'audio') this.onDatagram?.(bytes);
        else this.#picture(bytes);
      }
    } catch {
      // The connection is over; the page says so.
    }
  }

  close(): void {
    this.groups.close();
    this.#listeners.clear();
  }

  #picture(bytes: Uint8Array<ArrayBuffer>): void {
    this.#frames += 1;
    this.#onFrames(this.#frames);
    try {
      this.groups.take(readCarried(bytes));
    } catch (error) {
      // Another sender's, or a liar's: what is missing then is noticed.
      if (!(error instanceof WireError)) throw error;
    }
  }
}
