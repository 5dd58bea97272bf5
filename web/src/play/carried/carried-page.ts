/** On the page: WebRTC sessions whose frames the player's worker takes and opens (PROTOCOL 12.10). */

import type { ClientMessage, CodecKind, RelayMessage, Status } from '@steadycast/codec-glue';
import { CODEC_KINDS } from '@steadycast/codec-glue';
import {
  type ConnectionState,
  keepOpen,
  type RelayEndpoint,
  SessionError,
} from '../../session/index.ts';
import { readToken } from '../../session/token.ts';
import { Abilities } from '../abilities.ts';
import { knownOnce } from '../once.ts';
import { Peer } from '../whep/peer.ts';
import { type SessionListener, WhepSession } from '../whep/session.ts';
import { askForKeyframe } from '../whep/signal.ts';
import type { CarriedAnswer, CarriedWord } from './words.ts';

export interface CarriedPageOptions {
  origin: string;
  token: string;
  endpoint: RelayEndpoint | undefined;
  /** The player's, which is told `words`. */
  worker: Worker;
  tell: (word: CarriedWord) => void;
}

/** Each report is a request of its own. */
const REPORT_EVERY_MS = 5_000;
/** Until the relay has said how it stands. */
const UNKNOWN: Status = { phase: 'waiting', sinceUs: 0, epoch: 0, players: 0 };

export class CarriedPage {
  readonly #options: CarriedPageOptions;
  readonly #abort = new AbortController();
  /** What this browser decodes, as it is offered; null: not asked yet. */
  #codecs: CodecKind[] | null = null;
  #number = 0;
  #current: { number: number; session: WhepSession } | null = null;
  readonly #peers = new Map<number, Peer>();
  #status = UNKNOWN;
  #reportedMs = Number.NEGATIVE_INFINITY;

  constructor(options: CarriedPageOptions) {
    this.#options = options;
  }

  /** Runs until `stop`, or until the relay wants no more of this player. */
  async run(): Promise<void> {
    const { origin, endpoint } = this.#options;
    await keepOpen<WhepSession>({
      origin,
      signal: this.#abort.signal,
      open: (told) => this.#open(told),
      ...(endpoint !== undefined && { deps: knownOnce(endpoint) }),
      onState: (state) => this.#connection(state),
    });
  }

  stop(): void {
    this.#abort.abort();
  }

  hear(answer: CarriedAnswer): void {
    if (answer.kind === 'frames') {
      const peer = this.#peers.get(answer.session);
      if (peer !== undefined) peer.framesCarried = answer.frames;
    } else this.#say(answer.message);
  }

  async #open(endpoint: RelayEndpoint): Promise<WhepSession> {
    const { token, worker } = this.#options;
    const broadcast = readToken(token)?.broadcast ?? null;
    if (broadcast === null) {
      throw new SessionError('refused', 'this is no token', { code: 'unauthorized' });
    }
    this.#codecs ??= await decodable();
    this.#number += 1;
    const number = this.#number;
    const peer = new Peer();
    peer.carry(worker, number);
    this.#peers.set(number, peer);
    this.#status = UNKNOWN;
    const session = await this.#session(number, peer, broadcast);
    // Nobody sees what is on the connection itself.
    void session.ended.then(() => this.#release(number, session));
    this.#current = { number, session };
    const clock = endpoint.clock ?? { sentUs: 0, receivedUs: 0, relayUs: 0 };
    this.#tell({ kind: 'open', session: number, broadcast, clock, status: this.#status });
    return session;
  }

  async #session(number: number, peer: Peer, broadcast: string): Promise<WhepSession> {
    const { origin, token } = this.#options;
    const opening = WhepSession.open({
      origin,
      token,
      broadcast,
      peer,
      carries: this.#codecs ?? undefined,
      clock: { add: (sample) => this.#tell({ kind: 'clock', session: number, sample }) },
      signal: this.#abort.signal,
      framesShown: () => null,
      listener: this.#listener(number),
    });
    return opening.catch((error: unknown) => {
      this.#peers.delete(number);
      throw error;
    });
  }

  #listener(number: number): SessionListener {
    const said = (message: RelayMessage) => this.#tell({ kind: 'said', session: number, message });
    return {
      onStatus: ({ phase, sinceUs, epoch }) => {
        this.#status = { phase, sinceUs, epoch, players: 0 };
        said({ type: 'status', status: this.#status });
      },
      onServing: (serving) => said({ type: 'serving', serving }),
      // Its own frames say the same.
      onContent: () => undefined,
      onPath: ({ narrow, carriesKbps }) => said({ type: 'path', narrow, carriesKbps }),
      onSound: (_, sound) => said({ type: 'sound', sound }),
      onRelays: (relays) => said({ type: 'relays', relays }),
      onMove: () => said({ type: 'move', withinMs: 0 }),
      onPing: () => this.#tell({ kind: 'heard', session: number }),
      onFigures: ({ rttMs }) => {
        if (rttMs !== null) this.#tell({ kind: 'roundTrip', session: number, ms: rttMs });
      },
    };
  }

  #connection(state: ConnectionState<WhepSession>): void {
    // It was told as soon as there was one.
    if (state.kind !== 'open') this.#tell({ kind: 'state', state });
  }

  #release(number: number, session: WhepSession): void {
    if (this.#current?.number === number) this.#current = null;
    this.#peers.delete(number);
    session.release();
  }

  #say(message: ClientMessage): void {
    const session = this.#current?.session;
    if (session === undefined) return;
    if (message.type === 'keyframeRequest') void session.act(askForKeyframe);
    else if (message.type === 'report') this.#report(session, message);
    else if (message.type === 'decodes') this.#decodes(session, message.codecs);
  }

  #report(
    session: WhepSession,
    { received, decoded, shown, latencyUs }: Extract<ClientMessage, { type: 'report' }>,
  ): void {
    const nowMs = performance.now();
    if (nowMs - this.#reportedMs < REPORT_EVERY_MS) return;
    this.#reportedMs = nowMs;
    const latencyMs = Math.round(latencyUs / 1_000);
    void session.report({ received, decoded, shown, ...(latencyUs > 0 && { latencyMs }) });
  }

  /** What can be decoded stands in the offer: where it has become less, another one is made. */
  #decodes(session: WhepSession, codecs: readonly CodecKind[]): void {
    const offered = this.#codecs ?? [];
    if (codecs.length === offered.length && codecs.every((kind) => offered.includes(kind))) return;
    this.#codecs = [...codecs];
    session.giveUp('what this browser decodes has changed');
  }

  #tell(word: CarriedWord): void {
    this.#options.tell(word);
  }
}

/** As the worker will find as well: a browser that says no to everything is not believed. */
async function decodable(): Promise<CodecKind[]> {
  const abilities = new Abilities();
  await abilities.probe();
  return abilities.codecs ?? [...CODEC_KINDS];
}
