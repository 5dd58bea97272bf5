/** Plays a broadcast over WebRTC: one WHEP session after another, one picture all the time. */

import { DEFAULT_SERVING, type Report } from '@steadycast/codec-glue';
import {
  type ConnectionState,
  keepOpen,
  RelayClock,
  type RelayEndpoint,
  SessionError,
} from '../../session/index.ts';
import { readToken } from '../../session/token.ts';
import { FootingNotes } from '../footing.ts';
import type { HeardSound } from '../messages.ts';
import { knownOnce } from '../once.ts';
import { type Playback, type PlaybackOptions, progressOf, tellMachine } from '../playback.ts';
import { Slowness } from '../slowness.ts';
import { type SoundWish, UNHEARD } from '../sound/wish.ts';
import type { PlayoutMode } from '../spread.ts';
import { type PlayerState, StateMachine, sameState } from '../state.ts';
import { Account, type Share } from './account.ts';
import { type Early, takeEarly } from './early.ts';
import { Hold } from './hold.ts';
import { type Figures, Peer } from './peer.ts';
import { Screen } from './screen.ts';
import { WhepSession, type WhepStatus } from './session.ts';
import { SoundAccount } from './sound-account.ts';
import { StreamSound } from './stream-sound.ts';
import type { VideoFrameFacts } from './video.ts';

export interface WhepPlayerOptions extends PlaybackOptions {
  /** What tests replace. */
  openSession?: typeof WhepSession.open;
  makePeer?: () => Peer;
  takeEarly?: typeof takeEarly;
  keep?: typeof keepOpen<WhepSession>;
}

/** A connection, from before its session is open until another one's picture has replaced it. */
interface Link {
  peer: Peer;
  /** Null until it is open. */
  session: WhepSession | null;
  share: Share;
  /** How long its frames are held. */
  hold: Hold;
}

const TICK_MS = 250;
/** Each is a request of its own. */
const REPORT_EVERY_MS = 5_000;
/** When the page was hidden, or is seen again. */
const REPORT_SOON_MS = 1_000;

export class WhepPlayer implements Playback {
  readonly #options: WhepPlayerOptions;
  readonly #abort = new AbortController();
  readonly #account: Account;
  readonly #machine = new StateMachine();
  readonly #screen: Screen;
  readonly #sound: StreamSound;
  readonly #soundAccount = new SoundAccount();
  #wish = UNHEARD;
  #soundBlocked = false;
  readonly #links = new Map<MediaStream, Link>();
  readonly #broadcast: string | null;
  #current: Link | null = null;
  #status: WhepStatus | null = null;
  #playout: PlayoutMode;
  readonly #slowness = new Slowness();
  readonly #footing = new FootingNotes();
  #blocked = false;
  /** What had been counted when the session began. */
  #reportBase: Report | null = null;
  #reportAtMs = 0;
  #serving = DEFAULT_SERVING;
  /** As the relay told it; undefined: it did not. */
  #stillSinceUs: number | null | undefined;
  #state: PlayerState = { kind: 'connecting', attempt: 1 };

  constructor(options: WhepPlayerOptions) {
    this.#options = options;
    this.#playout = options.playout;
    this.#broadcast = readToken(options.token)?.broadcast ?? null;
    this.#account = new Account(() => this.#screen.look());
    this.#sound = new StreamSound({
      onBlocked: (blocked) => {
        this.#soundBlocked = blocked;
        this.#publish();
      },
    });
    this.#screen = new Screen(options.place, {
      isCurrent: (stream, frame) => this.#isCurrent(stream, frame),
      onFrame: (stream, frame) => this.#framed(stream, frame),
      onShown: (stream) => this.#replaced(stream),
      onBlocked: (blocked) => {
        this.#blocked = blocked;
        this.#publish();
      },
    });
  }

  /** Runs until `stop`, or until the relay wants no more of this player. */
  async run(): Promise<void> {
    const {
      origin,
      token,
      endpoint,
      keep = keepOpen<WhepSession>,
      takeEarly: take = takeEarly,
    } = this.#options;
    const early = take(origin, token);
    const timer = setInterval(() => this.#tick(), TICK_MS);
    const { signal } = this.#abort;
    // Browsers that put a hidden page's video to rest do not always wake it by themselves.
    document.addEventListener('visibilitychange', () => this.#seen(), { signal });
    this.#account.records.hidden = document.hidden;
    await keep({
      origin,
      signal,
      open: (endpoint) => this.#open(endpoint, early),
      ...(endpoint !== undefined && { deps: knownOnce(endpoint) }),
      ...(early !== null && { deps: early.relay.deps }),
      onState: (state) => this.#connection(state),
    });
    clearInterval(timer);
    this.#detach();
    for (const stream of this.#links.keys()) this.#release(stream);
    this.#publish();
  }

  surface(): HTMLVideoElement | null {
    return this.#screen.surface;
  }

  setSound(wish: SoundWish): void {
    this.#wish = wish;
    this.#sound.wish = wish;
    this.#follow();
    this.#publish();
  }

  stop(): void {
    this.#sound.wish = UNHEARD;
    this.#screen.freeze();
    this.#abort.abort();
  }

  setPlayout(mode: PlayoutMode): void {
    this.#playout = mode;
    for (const { hold, peer } of this.#links.values()) {
      hold.mode = mode;
      peer.holdMs = hold.targetMs;
    }
  }

  redraw(): void {}

  resume(): void {
    this.#screen.resume();
    this.#sound.resume();
  }

  async #open(endpoint: RelayEndpoint, early: Early | null): Promise<WhepSession> {
    const { origin, token, openSession = WhepSession.open, makePeer } = this.#options;
    const broadcast = this.#broadcast;
    if (broadcast === null) {
      throw new SessionError('refused', 'this is no token', { code: 'unauthorized' });
    }
    const clock = endpoint.clock === null ? null : new RelayClock(endpoint.clock);
    this.#account.clock = clock ?? this.#account.clock;
    const begun = early?.take() ?? undefined;
    const peer = begun?.peer ?? makePeer?.() ?? new Peer();
    const hold = new Hold(this.#playout);
    peer.holdMs = hold.targetMs;
    const link: Link = { peer, hold, session: null, share: this.#account.share() };
    this.#links.set(peer.stream, link);
    this.#slowness.restart();
    this.#screen.bring(peer.stream);
    try {
      link.session = await openSession({
        origin,
        token,
        broadcast,
        clock,
        peer,
        begun,
        signal: this.#abort.signal,
        framesShown: () => this.#screen.framesShown(peer.stream),
        listener: {
          onStatus: (status) => this.#heard(link, status),
          onContent: (stillSinceUs) => {
            this.#stillSinceUs = stillSinceUs;
            this.#tellContent();
            this.#refresh();
          },
          onServing: (serving) => {
            this.#serving = serving;
            this.#machine.served(serving);
            this.#refresh();
          },
          onSound: (there) => {
            this.#soundAccount.told(there);
            this.#publish();
          },
          onRelays: (relays) => this.#footing.relays(relays),
          onMove: () => {
            this.#footing.leave();
            this.#publish();
          },
          onPath: (word) => this.#slowness.told(word),
          onFigures: (figures) => this.#counted(link, figures),
        },
      });
      return link.session;
    } catch (error) {
      this.#release(peer.stream);
      throw error;
    }
  }

  #connection(state: ConnectionState<WhepSession>): void {
    if (state.kind !== 'open' && state.kind !== 'opening') this.#detach();
    this.#footing.connection(state);
    if (state.kind === 'open') this.#attach(state.session);
    else tellMachine(this.#machine, state, Date.now());
    this.#refresh();
    const progress = progressOf(state);
    if (progress !== null) this.#options.onProgress(progress);
  }

  #attach(session: WhepSession): void {
    this.#account.records.count('sessionsOpened');
    this.#current = [...this.#links.values()].find((link) => link.session === session) ?? null;
    this.#soundAccount.restart();
    this.#sound.stream = this.#current?.peer.sound ?? null;
    this.#reportBase = this.#account.records.report(null);
    this.#reportAtMs = performance.now() + REPORT_SOON_MS;
    this.#machine.opened(Date.now());
    // It may have been told before the session was open.
    this.#machine.served(this.#serving);
    this.#tellContent();
    // Where something swallows the events, pictures speak for themselves.
    if (this.#status === null) this.#machine.status('live', 0);
    else this.#tellPhase(this.#status);
    void session.ended.then(() => {
      // The loop says so only after its pause was decided.
      if (this.#current?.session !== session || this.#abort.signal.aborted) return;
      this.#machine.lost(Date.now());
      this.#refresh();
    });
  }

  #detach(): void {
    if (this.#current === null) return;
    this.#account.records.count('sessionsClosed');
    this.#current = null;
  }

  #heard(link: Link, status: WhepStatus): void {
    if (link.session !== null && link !== this.#current) return;
    this.#status = status;
    this.#account.epoch = status.epoch;
    this.#tellPhase(status);
    this.#refresh();
  }

  #tellPhase({ phase, sinceUs }: WhepStatus): void {
    this.#machine.status(phase, this.#localMs(sinceUs));
  }

  #tellContent(): void {
    const sinceUs = this.#stillSinceUs;
    this.#machine.content(typeof sinceUs === 'number' ? this.#localMs(sinceUs) : sinceUs);
  }

  /** A time of the relay's clock on this machine's. */
  #localMs(us: number): number {
    const { clock } = this.#account;
    return clock === null ? Date.now() : (us - clock.offsetUs) / 1_000;
  }

  /** A stream has taken the screen: the connections before it have done their duty. */
  #replaced(stream: MediaStream): void {
    for (const other of this.#links.keys()) {
      if (other === stream) return;
      this.#release(other);
    }
  }

  #release(stream: MediaStream): void {
    const link = this.#links.get(stream);
    if (link === undefined) return;
    this.#links.delete(stream);
    this.#screen.part(stream);
    if (link.session === null) link.peer.close();
    else link.session.release();
  }

  #isCurrent(stream: MediaStream, frame: VideoFrameFacts): boolean {
    const link = this.#links.get(stream);
    return link === undefined || this.#account.isCurrent(link.share, frame);
  }

  #framed(stream: MediaStream, frame: VideoFrameFacts): void {
    const link = this.#links.get(stream);
    if (link === undefined) return;
    // Its codec is to be known with the first picture.
    if (!this.#account.pictured) void link.session?.sample();
    this.#account.shown(link.share, frame);
    this.#hold(link, frame);
    this.#machine.shown(false, Date.now());
    if (this.#state.kind !== 'live') this.#refresh();
  }

  /** Holds frames for as long as their way makes them uneven. */
  #hold({ hold, peer, share }: Link, frame: VideoFrameFacts): void {
    const arrival = this.#account.arrival(share, frame);
    const before = hold.targetMs;
    if (arrival !== null) hold.arrived(arrival, performance.now());
    if (hold.targetMs !== before) peer.holdMs = hold.targetMs;
  }

  #counted(link: Link, figures: Figures): void {
    const moved = this.#account.counted(link.share, figures);
    // A hidden page is told of no frames, but has them.
    if (moved && document.hidden && this.#account.pictured) {
      this.#machine.shown(false, Date.now());
    }
    if (link !== this.#current) return;
    this.#soundAccount.counted(figures.sound, figures.heard);
    this.#report();
  }

  /** Only right after the connection was asked: what it has decoded is not to lag behind what is shown. */
  #report(): void {
    const nowMs = performance.now();
    if (nowMs < this.#reportAtMs) return;
    this.#reportAtMs = nowMs + REPORT_EVERY_MS;
    const { records } = this.#account;
    const { received, decoded, shown, latencyUs } = records.report(this.#reportBase);
    const latencyMs = Math.round(latencyUs / 1_000);
    const told = { received, decoded, shown, ...(latencyUs > 0 && { latencyMs }) };
    void this.#current?.session?.report(told);
  }

  /** Whether anybody can see the page may have changed. */
  #seen(): void {
    this.#account.records.hidden = document.hidden;
    this.#reportAtMs = performance.now() + REPORT_SOON_MS;
    this.#screen.resume();
  }

  /** Has the picture wait for the sound while that is heard. */
  #follow(): void {
    const link = this.#current;
    if (link === null) return;
    const heard = this.#heardSound === 'on';
    const moment = heard ? link.peer.soundMoment : null;
    link.hold.soundMs = this.#soundAccount.follow(moment, this.#account.clock);
  }

  get #heardSound(): HeardSound['state'] {
    if (!this.#soundAccount.there) return 'none';
    if (!this.#wish.on) return 'off';
    if (this.#soundBlocked) return 'blocked';
    return this.#sound.on ? 'on' : 'starting';
  }

  #tick(): void {
    this.#follow();
    this.#account.look();
    this.#state = this.#currentState();
    this.#publish();
  }

  /** Publishes at once when the state changed. */
  #refresh(): void {
    const state = this.#currentState();
    if (sameState(state, this.#state)) return;
    this.#state = state;
    this.#publish();
  }

  #currentState(): PlayerState {
    const state = this.#machine.at(Date.now(), this.#current?.session?.silentMs ?? 0);
    // Here nothing is opened: whoever has a key comes another way (PROTOCOL 12.10).
    const isPrivate = state.kind === 'refused' && state.reason === 'private';
    return isPrivate ? { kind: 'locked', why: 'keyless' } : state;
  }

  #publish(): void {
    const bufferMs = this.#current?.hold.targetMs ?? 0;
    const records = this.#account.snapshot(
      bufferMs,
      this.#current !== null,
      this.#soundAccount.records,
    );
    const live = this.#state.kind === 'live';
    this.#options.onSnapshot(
      {
        state: this.#state,
        records,
        undecodable: null,
        privacy: null,
        slow: this.#slowness.at(performance.now(), live ? records.latencyMs : null),
        broadcast: this.#broadcast,
        transport: 'whep',
        blocked: this.#blocked,
        footing: this.#footing.at(this.#current?.session?.silent ?? false, performance.now()),
        sound: { state: this.#heardSound },
      },
      this.#account.records.takeLog(),
    );
  }
}
