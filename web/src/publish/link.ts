/** The publisher's session, again and again until told otherwise. */

import type { CodeName, Rendition, WantedTrack } from '@steadycast/codec-glue';
import {
  type CarrierName,
  type Connect,
  type ConnectionState,
  type KeepConnectedOptions,
  keepConnected,
  type RelaySession,
  type Transport,
} from '../session/index.ts';
import { pause } from '../session/pause.ts';
import type { Carriers } from './carriers.ts';
import { Climb } from './climb.ts';
import { Relays } from './relays.ts';
import type { LinkPhase } from './status.ts';

/** What a link asks of the carriers to one relay. */
export type LinkCarriers = Pick<
  Carriers,
  'connect' | 'opened' | 'brokeOff' | 'frail' | 'hasBetter' | 'best' | 'reach'
>;

export interface LinkOptions {
  origin: string;
  token: string;
  agent: string;
  /** What sessions at this relay run on. */
  carriersAt: (relay: string) => LinkCarriers;
  onOpen: (session: RelaySession) => void;
  /** The session is gone; `wanted`: because this side closed it. */
  onGone: (wanted: boolean) => void;
  /** The relay wants a keyframe of a track. */
  onKeyframeRequest: (track: number) => void;
  /** Every track that the relay wants besides the main one. */
  onWanted: (wanted: readonly WantedTrack[]) => void;
  /** So many bytes of this session's groups have come to the relay, by its clock at `relayUs`. */
  onArrived: (bytes: number, relayUs: number) => void;
  /** So many are to hear the sound of this session, which is to repeat so many frames of it in each datagram. */
  onListeners: (players: number, repeat: number) => void;
  /** Something that a status shows has changed. */
  onChange: () => void;
  /** No session will follow by itself. */
  onRefused: () => void;
  /** What tests replace. */
  keep?: (options: KeepConnectedOptions) => Promise<unknown>;
}

/** What is known of the session, for the status. */
export interface LinkFacts {
  phase: LinkPhase;
  reason: string | null;
  code: string | null;
  retryAtMs: number | null;
  /** Since `connect` was called. */
  everOpen: boolean;
}

const OFF: LinkFacts = { phase: 'off', reason: null, code: null, retryAtMs: null, everOpen: false };

/** A loop that keeps a session open. */
interface Running {
  abort: AbortController;
  over: Promise<unknown>;
}

/** An open session that brings nothing for so long is not waited for alone: pongs come every quarter of a second. */
const SILENT_MS = 1_500;
const LOOK_MS = 250;
/** Between two attempts to be elsewhere while the session is still there. */
const AGAIN_MS = 500;
/** What another relay says that cannot have this broadcast, or not from this host, which says nothing of its own. */
const NOT_THERE: ReadonlySet<CodeName | null> = new Set([
  'broadcast_ended',
  'elsewhere',
  'too_far',
  'unknown_broadcast',
  'unauthorized',
]);

/** A relay, and what sessions there run on. */
interface Place {
  relay: string;
  carriers: LinkCarriers;
}

/** While a session opens on a better carrier, or at another relay. */
interface Moving {
  /** The one before was told that another publisher has taken over: so it will end if that was not this one. */
  superseded: (() => void) | null;
}

export class RelayLink {
  readonly #options: LinkOptions;
  readonly #climb = new Climb((signal) => this.#moveUp(signal));
  #facts = OFF;
  #session: RelaySession | null = null;
  /** What the newest session ran on. */
  #carrier: CarrierName | null = null;
  #resume: Uint8Array | null = null;
  #running: Running | null = null;
  #moving: Moving | null = null;
  readonly #relays: Relays;
  #carriers: LinkCarriers;
  /** It is at a relay that is not its own, and has had no session there. */
  #stranger = false;
  /** It is on its way to another relay while its session is open. */
  #goes = false;
  /** The relay has said that it goes. */
  #leaves = false;
  #looks: ReturnType<typeof setInterval> | undefined;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#relays = new Relays(options.origin);
    this.#carriers = options.carriersAt(options.origin);
  }

  /** Whether it is connected, or on the way there by itself. */
  get running(): boolean {
    return this.#running !== null;
  }

  get facts(): LinkFacts {
    return this.#facts;
  }

  get session(): RelaySession | null {
    return this.#session;
  }

  /** `resume` null takes the broadcast over from whoever has it (PROTOCOL 3.3). */
  async connect(resume: Uint8Array | null): Promise<void> {
    await this.close();
    this.#resume = resume;
    this.#start();
  }

  #start(): void {
    const { connect } = this.#carriers;
    this.#running = this.#keep(this.#relays.at, connect, (state) => this.#changed(state));
  }

  /** Some of its states come before it has returned. */
  #keep(origin: string, connect: Connect, onState: (state: ConnectionState) => void): Running {
    const abort = new AbortController();
    const { token, agent, keep = keepConnected } = this.#options;
    const over = keep({
      origin,
      token,
      agent,
      role: 'publisher',
      resume: () => this.#resume,
      connect,
      signal: abort.signal,
      onState: (state) => {
        if (!abort.signal.aborted) onState(state);
      },
    });
    return { abort, over };
  }

  /** Moves to the best carrier if that can be had; the session there takes over from the one that is open. */
  async #moveUp(signal: AbortSignal): Promise<boolean> {
    const transport = await this.#carriers.best(signal).catch(() => null);
    if (transport === null) return false;
    const from = this.#running;
    if (signal.aborted || from === null || this.#session === null) {
      transport.close();
      return false;
    }
    const there = { relay: this.#relays.at, carriers: this.#carriers };
    const refused = () => this.#climb.stop();
    return this.#moveTo(there, transport, from, signal, refused);
  }

  /** A session there takes over from the one that is open. `onRefused`: it may not. */
  #moveTo(
    { relay, carriers }: Place,
    transport: Transport,
    from: Running,
    signal: AbortSignal,
    onRefused: () => void,
  ): Promise<boolean> {
    const moving: Moving = { superseded: null };
    this.#moving = moving;
    const connect = first(transport, carriers);
    return new Promise((resolve) => {
      let moved = false;
      const stay = () => {
        if (this.#moving !== moving) return;
        this.#moving = null;
        to.abort.abort();
        transport.close();
        if (from === this.#running) moving.superseded?.();
        resolve(false);
      };
      const to = this.#keep(relay, connect, (state) => {
        if (moved) this.#changed(state);
        else if (state.kind === 'open' && this.#moving === moving) {
          moved = true;
          this.#relays.moveTo(relay);
          this.#carriers = carriers;
          this.#replace(from, to);
          this.#changed(state);
          resolve(true);
        } else if (state.kind !== 'connecting' && state.kind !== 'opening') {
          stay();
          // A token that let the session in may have expired: it is told so every time.
          if (state.kind === 'refused') onRefused();
        }
      });
      signal.addEventListener('abort', stay);
    });
  }

  /** The relay goes, or is silent: publishes at another one, while the session here is still open. */
  async #go(): Promise<void> {
    if (this.#goes) return;
    this.#goes = true;
    const from = this.#running;
    const gone = new AbortController();
    while (from !== null && from === this.#running && this.#session !== null) {
      if (this.#moving === null && (await this.#goFrom(from, gone.signal))) break;
      await pause(AGAIN_MS);
      // It was silent and no more.
      if (!this.#leaves && (this.#session?.silentMs ?? 0) < SILENT_MS) break;
    }
    gone.abort();
    this.#goes = false;
  }

  async #goFrom(from: Running, signal: AbortSignal): Promise<boolean> {
    const relay = this.#relays.next(performance.now());
    if (relay === null) return false;
    const carriers = this.#options.carriersAt(relay);
    const transport = await carriers.reach(signal).catch(() => null);
    if (transport === null) return false;
    if (from !== this.#running || this.#session === null || this.#moving !== null) {
      transport.close();
      return false;
    }
    return this.#moveTo({ relay, carriers }, transport, from, signal, () => undefined);
  }

  /** There is no session here, and none to be had: tries another relay in the place of this one. */
  #elsewhere(): boolean {
    if (this.#moving !== null || this.#running === null) return false;
    const relay = this.#relays.next(performance.now());
    if (relay === null) return false;
    this.#running.abort.abort();
    this.#relays.moveTo(relay);
    this.#stranger = !this.#relays.isHome;
    this.#carriers = this.#options.carriersAt(relay);
    this.#start();
    return true;
  }

  /** The session before has nothing to say any more, be it that another one has taken over. */
  #replace(from: Running, to: Running): void {
    this.#moving = null;
    this.#drop(true);
    this.#running = to;
    from.abort.abort();
  }

  /** Says goodbye to the relay and waits until that has left. */
  async close(): Promise<void> {
    const running = this.#running;
    this.#running = null;
    this.#climb.stop();
    this.#drop(true);
    running?.abort.abort();
    await running?.over;
    this.#facts = OFF;
    clearInterval(this.#looks);
  }

  #changed(state: ConnectionState): void {
    const { everOpen } = this.#facts;
    switch (state.kind) {
      case 'connecting':
        this.#facts = { ...OFF, phase: 'connecting', reason: this.#facts.reason, everOpen };
        break;
      case 'opening':
        if (state.brokeOff && this.#carrier !== null) this.#carriers.brokeOff(this.#carrier);
        return;
      case 'open':
        this.#facts = { ...OFF, phase: 'open', everOpen: true };
        this.#open(state.session);
        break;
      case 'lost':
        this.#facts = {
          phase: 'lost',
          reason: state.reason,
          code: null,
          retryAtMs: Date.now() + state.retryInMs,
          everOpen,
        };
        this.#drop(false);
        if (state.why === 'absent' || state.why === 'full') this.#elsewhere();
        break;
      case 'refused': {
        // Another relay speaks for itself alone.
        if (this.#stranger && NOT_THERE.has(state.code) && this.#elsewhere()) break;
        const end = () => this.#end({ phase: 'refused', reason: state.message, code: state.code });
        // By this host's own session, if that opens.
        if (this.#moving !== null && state.code === 'superseded') this.#moving.superseded = end;
        else end();
        break;
      }
      case 'unsupported':
        this.#end({ phase: 'unsupported', reason: state.message, code: null });
        break;
    }
    this.#options.onChange();
  }

  #open(session: RelaySession): void {
    const carriers = this.#carriers;
    this.#leaves = false;
    this.#stranger = false;
    this.#session = session;
    this.#carrier = session.carrier;
    carriers.opened(session.carrier);
    if (carriers.hasBetter(session.carrier)) this.#climb.start(carriers.frail);
    else this.#climb.stop();
    this.#resume = session.welcome.resume ?? this.#resume;
    // First this: what the relay said right after its welcome is for the session that is open then.
    this.#options.onOpen(session);
    session.onMessage((message) => {
      if (session !== this.#session) return;
      if (message.type === 'keyframeRequest') this.#options.onKeyframeRequest(message.track);
      if (message.type === 'tracks') this.#options.onWanted(message.wanted);
      if (message.type === 'renditions') this.#options.onWanted(message.wanted.map(ofVersion2));
      if (message.type === 'arrived') this.#options.onArrived(message.bytes, message.relayUs);
      if (message.type === 'listeners') this.#options.onListeners(message.players, message.repeat);
      if (message.type === 'status') this.#options.onChange();
      if (message.type === 'relays') this.#knows(message.relays);
      if (message.type === 'move') {
        this.#leaves = true;
        void this.#go();
      }
    });
    // The loop reports a lost session only after its pause was decided; frames stop at once.
    void session.ended.then(() => {
      if (session === this.#session) this.#drop(this.#moving !== null);
    });
  }

  #knows(relays: readonly string[]): void {
    this.#relays.knows(relays);
    clearInterval(this.#looks);
    if (relays.length === 0) return;
    this.#looks = setInterval(() => {
      if ((this.#session?.silentMs ?? 0) >= SILENT_MS) void this.#go();
    }, LOOK_MS);
  }

  #end(facts: Pick<LinkFacts, 'phase' | 'reason' | 'code'>): void {
    this.#facts = { ...facts, retryAtMs: null, everOpen: this.#facts.everOpen };
    this.#running = null;
    this.#climb.stop();
    clearInterval(this.#looks);
    this.#drop(false);
    this.#options.onRefused();
  }

  #drop(wanted: boolean): void {
    if (this.#session === null) return;
    this.#session = null;
    this.#options.onGone(wanted);
  }
}

/** The first time this one is taken, and whatever is open first after it. */
function first(transport: Transport, { connect }: LinkCarriers): Connect {
  let opened: Transport | null = transport;
  return async (endpoint, signal) => {
    const taken = opened;
    opened = null;
    return taken ?? connect(endpoint, signal);
  };
}

/** What a relay of a version before 3 wants, in the words of later ones. */
function ofVersion2(rendition: Rendition): WantedTrack {
  return { ...rendition, kind: 'video', maxKbps: null };
}
