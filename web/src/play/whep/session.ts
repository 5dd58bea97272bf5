/** One WHEP session: offer, peer connection, events, and whether it still works. */

import type { CodecKind, CodeName, Phase, Serving, SoundFormat } from '@steadycast/codec-glue';
import {
  fetchEndpoint,
  type KeptSession,
  type RelayClock,
  type SessionEnd,
  SessionError,
} from '../../session/index.ts';
import { pause } from '../../session/pause.ts';
import type { PathWord } from '../slowness.ts';
import { type Beginning, begin } from './begin.ts';
import { Drawing } from './drawing.ts';
import { EventStream, type WhepEvent } from './events.ts';
import type { Figures, Peer } from './peer.ts';
import { type Answer, leave, type Told, tell } from './signal.ts';
import { Watch } from './watch.ts';

/** What a session tells its player. */
export interface SessionListener {
  onStatus: (status: WhepStatus) => void;
  /** What the relay serves this browser from now on. */
  onServing: (serving: Serving) => void;
  /** Since when the picture stands still, on the relay's clock; null: it moves. */
  onContent: (stillSinceUs: number | null) => void;
  /** Whether the path to this browser carries what the picture needs. */
  onPath: (word: PathWord) => void;
  /** Whether the broadcast has sound, if the relay says so, and which. */
  onSound: (there: boolean, format: SoundFormat | null) => void;
  /** The relay lives. */
  onPing?: () => void;
  /** Other relays that would take this player. */
  onRelays: (relays: string[]) => void;
  /** The relay goes, and this player is to be at another one. */
  onMove: () => void;
  /** About every second. */
  onFigures: (figures: Figures) => void;
}

/** `sinceUs` is the relay's clock. */
export interface WhepStatus {
  phase: Phase;
  sinceUs: number;
  epoch: number;
}

export interface WhepSessionOptions {
  origin: string;
  broadcast: string;
  /** A play token. */
  token: string;
  /** Estimates the relay's clock, and is improved here; null: the relay does not tell its time. */
  clock: Pick<RelayClock, 'add'> | null;
  signal: AbortSignal;
  peer: Peer;
  /** It has begun with this peer before. */
  begun?: Beginning | undefined;
  /** What the page decodes, where it opens frames itself. */
  carries?: readonly CodecKind[] | undefined;
  /** How many of its frames were shown; null: nobody can tell. */
  framesShown: () => number | null;
  listener: SessionListener;
}

/** The relay says something every second; where its events have broken off, less is needed to doubt that it lives. */
const SILENT_MS = 1_600;
const CUT_SILENT_MS = 500;
const SAMPLE_EVERY_MS = 1_000;
/** While something seems wrong. */
const SAMPLE_SOON_MS = 250;
/** Timers come a little early or late. */
const SLACK_MS = 50;
/** How long the first word on the broadcast is waited for once there is a connection. */
const STATE_WAIT_MS = 2_000;
/** After how many samples the relay's time is asked for again: soon, and then now and then. */
const ASK_TIME_AT = new Set([1, 3]);
const ASK_TIME_EVERY = 60;

export class WhepSession implements KeptSession {
  readonly ended: Promise<SessionEnd>;
  readonly #options: WhepSessionOptions;
  readonly #watch = new Watch();
  readonly #drawing = new Drawing();
  readonly #over = new AbortController();
  #settle: (end: SessionEnd) => void = () => undefined;
  #session: string | null = null;
  #events: EventStream | null = null;
  #ending: SessionEnd | null = null;
  #heardState: () => void = () => undefined;
  #framesSent: number | null = null;
  #samples = 0;
  #sampledMs = 0;
  #sampling = false;
  /** Relays of before take no reports. */
  #takesReports = true;
  #timer: ReturnType<typeof setInterval> | undefined;

  private constructor(options: WhepSessionOptions) {
    this.#options = options;
    this.ended = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  /** Opens a session and waits for its connection. Throws SessionError, or the abort's reason. */
  static async open(options: WhepSessionOptions): Promise<WhepSession> {
    const session = new WhepSession(options);
    const { signal } = options;
    const abandon = () => session.#over.abort(signal.reason);
    signal.addEventListener('abort', abandon);
    try {
      signal.throwIfAborted();
      await session.#open();
      return session;
    } catch (error) {
      session.#stop();
      session.release();
      signal.throwIfAborted();
      // An end that came meanwhile, as from a broadcast that is over, says more.
      throw session.#ending === null ? error : asError(session.#ending);
    } finally {
      signal.removeEventListener('abort', abandon);
    }
  }

  /** For how long nothing was heard. */
  get silentMs(): number {
    return this.#watch.silentMs(performance.now());
  }

  /** Whether that is longer than it should be. */
  get silent(): boolean {
    return this.silentMs >= (this.#events?.cut === true ? CUT_SILENT_MS : SILENT_MS);
  }

  /**
   * Ends the connection, which blacks out its video in some browsers: only once another picture
   * covers it. A session that has ended keeps its connection until then.
   */
  release(): void {
    this.#options.peer.close();
    if (this.#session !== null) leave(this.#session, this.#options.token);
    this.#session = null;
  }

  async close(code: CodeName, message: string): Promise<void> {
    this.#end({ kind: 'goodbye', by: 'client', code, message, retryAfterMs: null });
    this.release();
  }

  async #open(): Promise<void> {
    const { peer, origin, broadcast, token, begun, carries } = this.#options;
    const { signal } = this.#over;
    const under = begun ?? begin(peer, { origin, broadcast, token, carries });
    const leaves = ({ session }: Answer) => leave(session, token);
    const answer = await unlessAborted(under.answer, signal, leaves);
    this.#session = answer.session;
    const heard = this.#listen(answer);
    await peer.connect(await under.offer, answer, signal);
    await Promise.race([heard, this.ended, pause(STATE_WAIT_MS)]);
    signal.throwIfAborted();
    this.#watchOver();
  }

  /** Resolves at the first word on the broadcast. */
  #listen({ events }: Answer): Promise<void> {
    if (events === null) return Promise.resolve();
    this.#events = new EventStream({
      url: events,
      signal: this.#over.signal,
      onEvent: (event) => this.#receive(event),
      onGone: () => {
        this.#session = null;
        this.#lost('the relay does not know this session any more');
      },
    });
    void this.#events.run();
    return new Promise((resolve) => {
      this.#heardState = resolve;
    });
  }

  #receive(event: WhepEvent): void {
    const { listener } = this.#options;
    switch (event.type) {
      case 'state':
        listener.onStatus(event);
        this.#heardState();
        break;
      case 'ping':
        this.#framesSent = event.framesSent;
        listener.onPing?.();
        break;
      case 'content':
        listener.onContent(event.stillSinceUs);
        break;
      case 'serving':
        listener.onServing(event.serving);
        break;
      case 'path':
        listener.onPath(event);
        break;
      case 'sound':
        listener.onSound(event.there, event.format);
        break;
      case 'relays':
        listener.onRelays(event.relays);
        break;
      case 'move':
        listener.onMove();
        break;
      case 'ended': {
        const { code, message, retryAfterMs } = event;
        this.#end({ kind: 'goodbye', by: 'relay', code, message, retryAfterMs });
        break;
      }
    }
  }

  #watchOver(): void {
    const { signal } = this.#over;
    const sample = () => void this.sample();
    signal.addEventListener('abort', this.#options.peer.onChange(sample));
    this.#timer = setInterval(() => {
      const everyMs = this.#troubled ? SAMPLE_SOON_MS : SAMPLE_EVERY_MS;
      if (performance.now() - this.#sampledMs >= everyMs - SLACK_MS) sample();
    }, SAMPLE_SOON_MS);
    const page = globalThis as Partial<Pick<Window, 'addEventListener'>>;
    page.addEventListener?.('online', () => this.#networkBack(), { signal });
    page.addEventListener?.('pagehide', () => this.#pageHidden(), { signal });
    sample();
  }

  get #troubled(): boolean {
    return this.#events?.cut === true || this.#options.peer.connection !== 'connected';
  }

  /** Looks at the connection now, besides every second. */
  async sample(): Promise<void> {
    if (this.#sampling) return;
    this.#sampling = true;
    this.#sampledMs = performance.now();
    const figures = await this.#options.peer.figures().catch(() => null);
    this.#sampling = false;
    if (figures === null || this.#over.signal.aborted) return;
    const { listener, framesShown } = this.#options;
    listener.onFigures(figures);
    const verdict = this.#watch.judge({
      ...figures,
      atMs: performance.now(),
      framesShown: this.#drawing.goesOn() ? framesShown() : null,
      framesSent: this.#framesSent,
      eventsSilentMs: this.#events?.silentMs ?? 0,
      eventsCut: this.#events?.cut ?? false,
      hidden: globalThis.document?.hidden ?? false,
    });
    if (verdict.kind !== 'ok') this.#lost(verdict.reason);
    this.#samples += 1;
    const due = ASK_TIME_AT.has(this.#samples) || this.#samples % ASK_TIME_EVERY === 0;
    if (due) void this.#askTime();
  }

  /** Says what the page shows, to relays that want to know. */
  async report(told: Told): Promise<void> {
    if (this.#session === null || !this.#takesReports) return;
    this.#takesReports = await tell(this.#session, told);
  }

  /** Does something with the session's URL, as long as there is one. */
  async act(request: (session: string) => Promise<void>): Promise<void> {
    if (this.#session !== null) await request(this.#session);
  }

  /** It is of no more use: another one is opened. */
  giveUp(reason: string): void {
    this.#lost(reason);
  }

  /** HTTP takes its time, but at times little. */
  async #askTime(): Promise<void> {
    const { origin, clock } = this.#options;
    const endpoint = await fetchEndpoint(origin, this.#over.signal).catch(() => null);
    if (endpoint?.clock) clock?.add(endpoint.clock);
  }

  /** What was connected over the network that has gone will hardly be over the one that came. */
  #networkBack(): void {
    if (this.#options.peer.connection !== 'connected') this.#lost('the network has changed');
    else void this.sample();
  }

  /** The page goes, for good or into the browser's memory, where it is given nothing. */
  #pageHidden(): void {
    if (this.#session !== null) leave(this.#session, this.#options.token);
    this.#session = null;
    this.#lost('the page was put away');
  }

  #lost(reason: string): void {
    this.#end({ kind: 'lost', reason });
  }

  #end(end: SessionEnd): void {
    this.#ending ??= end;
    this.#stop();
    this.#settle(end);
  }

  #stop(): void {
    clearInterval(this.#timer);
    this.#over.abort();
  }
}

function asError(end: SessionEnd): SessionError {
  if (end.kind === 'lost') return new SessionError('unreachable', end.reason);
  const { code, message, retryAfterMs } = end;
  return new SessionError('refused', message, { code, retryAfterMs });
}

/** What is promised; when `signal` aborts first, what comes all the same is disposed of. */
function unlessAborted<T>(
  promise: Promise<T>,
  signal: AbortSignal,
  dispose: (value: T) => void,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const aborted = () => reject(signal.reason);
    signal.addEventListener('abort', aborted);
    if (signal.aborted) aborted();
    promise
      .then((value) => (signal.aborted ? dispose(value) : resolve(value)), reject)
      .finally(() => signal.removeEventListener('abort', aborted));
  });
}
