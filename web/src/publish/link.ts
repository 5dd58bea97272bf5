/** The publisher's session, again and again until told otherwise. */

import type { Rendition, WantedTrack } from '@steadycast/codec-glue';
import {
  type CarrierName,
  type Connect,
  type ConnectionState,
  type KeepConnectedOptions,
  keepConnected,
  type RelaySession,
  type Transport,
} from '../session/index.ts';
import type { Carriers } from './carriers.ts';
import { Climb } from './climb.ts';
import type { LinkPhase } from './status.ts';

export interface LinkOptions {
  origin: string;
  token: string;
  agent: string;
  /** What sessions run on. */
  carriers: Pick<Carriers, 'connect' | 'opened' | 'brokeOff' | 'frail' | 'hasBetter' | 'best'>;
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

/** While a session opens on a better carrier. */
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

  constructor(options: LinkOptions) {
    this.#options = options;
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
    const { connect } = this.#options.carriers;
    this.#running = this.#keep(connect, (state) => this.#changed(state));
  }

  /** Some of its states come before it has returned. */
  #keep(connect: Connect, onState: (state: ConnectionState) => void): Running {
    const abort = new AbortController();
    const { origin, token, agent, keep = keepConnected } = this.#options;
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
    const transport = await this.#options.carriers.best(signal).catch(() => null);
    if (transport === null) return false;
    const from = this.#running;
    if (signal.aborted || from === null || this.#session === null) {
      transport.close();
      return false;
    }
    return this.#moveTo(transport, from, signal);
  }

  #moveTo(transport: Transport, from: Running, signal: AbortSignal): Promise<boolean> {
    const moving: Moving = { superseded: null };
    this.#moving = moving;
    const connect = this.#first(transport);
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
      const to = this.#keep(connect, (state) => {
        if (moved) this.#changed(state);
        else if (state.kind === 'open' && this.#moving === moving) {
          moved = true;
          this.#replace(from, to);
          this.#changed(state);
          resolve(true);
        } else if (state.kind !== 'connecting' && state.kind !== 'opening') {
          stay();
          // A token that let the session in may have expired: it is told so every time.
          if (state.kind === 'refused') this.#climb.stop();
        }
      });
      signal.addEventListener('abort', stay);
    });
  }

  /** The first time this one is taken, and whatever is open first after it. */
  #first(transport: Transport): Connect {
    let first: Transport | null = transport;
    return async (endpoint, signal) => {
      const opened = first;
      first = null;
      return opened ?? this.#options.carriers.connect(endpoint, signal);
    };
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
  }

  #changed(state: ConnectionState): void {
    const { everOpen } = this.#facts;
    switch (state.kind) {
      case 'connecting':
        this.#facts = { ...OFF, phase: 'connecting', reason: this.#facts.reason, everOpen };
        break;
      case 'opening':
        if (state.brokeOff && this.#carrier !== null)
          this.#options.carriers.brokeOff(this.#carrier);
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
        break;
      case 'refused': {
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
    const { carriers } = this.#options;
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
    });
    // The loop reports a lost session only after its pause was decided; frames stop at once.
    void session.ended.then(() => {
      if (session === this.#session) this.#drop(this.#moving !== null);
    });
  }

  #end(facts: Pick<LinkFacts, 'phase' | 'reason' | 'code'>): void {
    this.#facts = { ...facts, retryAtMs: null, everOpen: this.#facts.everOpen };
    this.#running = null;
    this.#climb.stop();
    this.#drop(false);
    this.#options.onRefused();
  }

  #drop(wanted: boolean): void {
    if (this.#session === null) return;
    this.#session = null;
    this.#options.onGone(wanted);
  }
}

/** What a relay of a version before 3 wants, in the words of later ones. */
function ofVersion2(rendition: Rendition): WantedTrack {
  return { ...rendition, kind: 'video', maxKbps: null };
}
