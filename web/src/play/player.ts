/** The player: one session after another, their frames in order, decoded and shown. */

import {
  type Frame,
  type LinkKey,
  type Report,
  type Serving,
  SOUND_SINCE,
  type SoundFormat,
} from '@steadycast/codec-glue';
import type { PrivateBroadcast } from '../privacy/private-broadcast.ts';
import { type ConnectionState, keepConnected, type RelayClock } from '../session/index.ts';
import { Abilities, type DecodeProber } from './abilities.ts';
import type { Carrier, ConnectOptions } from './carrier.ts';
import type { Break } from './decoder.ts';
import type { FrameTag } from './display.ts';
import { FootingNotes } from './footing.ts';
import { readGroups } from './intake.ts';
import { NO_SOUND, type PlayerSnapshot } from './messages.ts';
import { FrameOrder } from './order.ts';
import { progressOf, tellMachine } from './playback.ts';
import { Playout } from './playout.ts';
import type { Progress, TransportName } from './race.ts';
import { Records, type ShownFrame } from './records.ts';
import { type Picture, type PictureTarget, pictureOn } from './renderer.ts';
import { Slowness } from './slowness.ts';
import type { Hearing } from './sound/hearing.ts';
import type { HeardAt } from './sound/messages.ts';
import type { PlayoutMode } from './spread.ts';
import { type PlayerState, StateMachine, sameState } from './state.ts';

export interface PlayerOptions {
  canvas: PictureTarget;
  origin: string;
  token: string;
  /** What a private broadcast is opened with; null: the link has no key. */
  key?: LinkKey | null;
  playout: PlayoutMode;
  onSnapshot: (snapshot: PlayerSnapshot, shown: ShownFrame[]) => void;
  onProgress?: (progress: Progress) => void;
  /** What it is called that `connect` goes over. */
  transport?: TransportName;
  /** What brings sessions; the relay over WebTransport when left out. */
  connect?: (options: ConnectOptions) => Promise<unknown>;
  /** What says which codecs can be decoded; the browser when left out. */
  prober?: DecodeProber;
}

/** A session that brings nothing for so long, although it was asked several times, is not waited for alone. */
const SILENT_MS = 1_000;
/** Of these there is nothing to say where nothing can be opened. */
const COVERED_BY_LOCK: ReadonlySet<PlayerState['kind']> = new Set([
  'connecting',
  'live',
  'static',
  'preparing',
]);

const AGENT = 'steadycast-web-player';
const TICK_MS = 250;
const REPORT_EVERY_MS = 1_000;
/** What is drawn is seen with the next picture of the display. */
const SEEN_AFTER_MS = 16;
/** Between looks at the canvas while nothing is drawn. */
const IDLE_LOOK_MS = 2_000;
/** A frame that takes longer to arrive means that there is something to see. */
const PARTIAL_MS = 700;
/** Between requests for the same keyframe, and between any two. */
const ASK_AGAIN_MS = 2_000;
const ASK_PAUSE_MS = 500;

export class Player {
  readonly #options: PlayerOptions;
  readonly #abort = new AbortController();
  readonly #records = new Records();
  readonly #machine = new StateMachine();
  readonly #abilities: Abilities;
  readonly #slowness = new Slowness();
  readonly #footing = new FootingNotes();
  readonly #renderer: Picture;
  readonly #playout: Playout;
  #order = new FrameOrder();
  /** Opens what is sealed; null: nothing has been so far, and there is no key. */
  #private: PrivateBroadcast | null = null;
  #loading: Promise<PrivateBroadcast> | null = null;
  #carrier: Carrier | null = null;
  /** Frames captured before were in the relay's cache when this player asked for them. */
  #liveFromUs = 0;
  /** Outlives its session: what is shown meanwhile still has a time. */
  #clock: RelayClock | null = null;
  #broadcast: string | null = null;
  #reportBase: Report | null = null;
  #reportedMs = 0;
  #lookedMs = 0;
  #askedMs = Number.NEGATIVE_INFINITY;
  /** Since when a frame has been arriving; null: none is under way. */
  #partialMs: number | null = null;
  #undecodable: string | null = null;
  /** What there is to hear; null: nothing. */
  #format: SoundFormat | null = null;
  /** Null: nobody listens. */
  #hearing: Hearing | null = null;
  /** Where sound is to go, if anywhere: what plays it may still be on its way. */
  #port: MessagePort | null = null;
  #state: PlayerState = { kind: 'connecting', attempt: 1 };
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(options: PlayerOptions) {
    this.#options = options;
    this.#abilities = new Abilities(options.prober);
    this.#renderer = pictureOn(options.canvas, this.#records);
    this.#playout = new Playout(options.playout, {
      renderer: this.#renderer,
      records: this.#records,
      relayUs: () => this.#clock?.nowUs() ?? 0,
      onDecoded: () => {
        this.#records.count('framesDecoded');
        this.#abilities.worked(this.#playout.config?.codec ?? '');
      },
      onShown: (tag) => this.#shown(tag),
      onBreak: (reason) => this.#broken(reason),
    });
  }

  /** Runs until `stop`, or until the relay wants no more of this player. */
  async run(): Promise<void> {
    const { origin, token, connect = keepConnected } = this.#options;
    const { signal } = this.#abort;
    this.#records.opening(performance.now());
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
    // The join does not wait for it.
    void this.#abilities.probe().then(() => this.#sayAbilities());
    const onState = (state: ConnectionState<Carrier>) => this.#connection(state);
    await connect({ origin, role: 'player', token, agent: AGENT, signal, onState });
    clearInterval(this.#timer);
    void this.listen(null);
    this.#detach();
    this.#playout.close();
    this.#publish();
  }

  stop(): void {
    this.#abort.abort();
  }

  set playout(mode: PlayoutMode) {
    this.#playout.mode = mode;
  }

  /** Has sound go to the audio worklet behind this port; null: nobody listens. */
  async listen(port: MessagePort | null): Promise<void> {
    this.#hearing?.close();
    this.#hearing = null;
    this.#playout.soundMs = null;
    this.#port = port;
    if (port === null) return;
    // After the picture, for whoever has the sound off does without.
    const { Hearing } = await import('./sound/hearing.ts');
    if (this.#port !== port || this.#abort.signal.aborted) return;
    this.#hearing = new Hearing({
      port,
      open: async (packet) => (await this.#loadPrivate()).sound(packet),
      isPrivate: (packet) => this.#isPrivate(packet.sealed),
      pictureUs: () => this.#pictureUs,
      onDelay: (us) => {
        this.#playout.soundMs = us === null ? null : us / 1_000 - SEEN_AFTER_MS;
      },
    });
    this.#hearing.format = this.#format;
    if (this.#carrier !== null) this.#hear(this.#carrier);
  }

  /** When the page's browser plays what. */
  heard(at: HeardAt): void {
    this.#hearing?.heard(at);
  }

  /** Whether nobody can see the page. */
  set hidden(hidden: boolean) {
    this.#records.hidden = hidden;
  }

  redraw(): void {
    this.#renderer.redraw();
  }

  /** The page has looked at the picture that its video shows. */
  looked(blank: boolean): void {
    this.#records.count('blackChecks');
    if (blank) this.#records.count('blackFrames');
  }

  #connection(state: ConnectionState<Carrier>): void {
    if (state.kind !== 'open') this.#detach();
    this.#footing.connection(state);
    if (state.kind === 'open') this.#attach(state.session);
    else tellMachine(this.#machine, state, Date.now());
    this.#refresh();
    const progress = progressOf(state);
    if (progress !== null) this.#options.onProgress?.(progress);
  }

  #attach(carrier: Carrier): void {
    this.#records.count('sessionsOpened');
    this.#carrier = carrier;
    this.#format = null;
    this.#clock = carrier.clock;
    this.#broadcast = carrier.welcome.broadcast;
    this.#reportBase = this.#records.report(null);
    this.#order = new FrameOrder();
    this.#private?.restart();
    this.#partialMs = null;
    this.#playout.restart();
    this.#slowness.restart();
    this.#liveFromUs = carrier.welcome.relayUs;
    this.#machine.opened(Date.now());
    carrier.onMessage((message) => {
      if (this.#carrier !== carrier) return;
      if (message.type === 'serving') this.#served(message.serving);
      if (message.type === 'path') this.#slowness.told(message);
      if (message.type === 'sound') this.#sounds(message.sound);
      if (message.type === 'relays') this.#footing.relays(message.relays);
      if (message.type === 'move') this.#leave();
    });
    this.#hear(carrier);
    this.#sayAbilities();
    carrier.onStatus(({ phase, sinceUs }) => {
      this.#machine.status(phase, (sinceUs - carrier.clock.offsetUs) / 1_000);
      this.#refresh();
    });
    void readGroups(carrier, {
      onFrame: (stream, frame) => {
        if (this.#carrier !== carrier) return null;
        if (this.#isPrivate(frame.header.sealed)) return this.#open(carrier, stream, frame);
        this.#received(carrier, stream, frame);
        return null;
      },
      onBytes: () => this.#arriving(),
      onSkip: () => {
        this.#records.count('skips');
        if (this.#carrier === carrier) this.#slowness.skipped(performance.now());
      },
      onBroken: (stream) => {
        this.#records.count('brokenStreams');
        if (this.#carrier !== carrier || !this.#order.isCurrent(stream)) return;
        this.#playout.cut();
        this.#lostGroup();
      },
    });
  }

  #leave(): void {
    this.#footing.leave();
    this.#publish();
  }

  /** Relays of before know of no sound, and would take the word for nonsense. */
  #hear(carrier: Carrier): void {
    if (carrier.welcome.version >= SOUND_SINCE) this.#hearing?.attach(carrier);
  }

  #sounds(format: SoundFormat | null): void {
    this.#format = format;
    if (this.#hearing !== null) this.#hearing.format = format;
    this.#publish();
  }

  /** How late the picture is by itself; null: nothing moves. */
  get #pictureUs(): number | null {
    const { readyMs } = this.#playout;
    if (readyMs === null || this.#state.kind !== 'live') return null;
    return (readyMs + SEEN_AFTER_MS) * 1_000;
  }

  #sayAbilities(): void {
    const { codecs } = this.#abilities;
    if (codecs !== null) this.#carrier?.send({ type: 'decodes', codecs });
  }

  #served(serving: Serving): void {
    this.#order.serve(serving.track);
    this.#machine.served(serving);
    this.#refresh();
  }

  #detach(): void {
    if (this.#carrier === null) return;
    this.#records.count('sessionsClosed');
    this.#carrier = null;
    this.#hearing?.detach();
  }

  /** With a key nothing is shown that was not sealed with it. */
  #isPrivate(sealed: boolean): boolean {
    return sealed || (this.#options.key ?? null) !== null;
  }

  /** Opens a frame and goes on with what is in it. */
  async #open(carrier: Carrier, stream: number, frame: Frame): Promise<void> {
    const broadcast = await this.#loadPrivate();
    const opening = await broadcast.picture(stream, frame);
    if (this.#carrier !== carrier) return;
    if (opening.kind === 'good') {
      this.#received(carrier, stream, frame, opening.frame);
      return;
    }
    this.#partialMs = null;
    this.#refresh();
    if (opening.kind !== 'wrong') return;
    if (this.#order.isCurrent(stream)) this.#lostGroup();
    else if (frame.header.keyframe) this.#askForKeyframe(ASK_PAUSE_MS);
    this.#publish();
  }

  #loadPrivate(): Promise<PrivateBroadcast> {
    this.#loading ??= import('./opening.ts').then(({ PrivateBroadcast }) => {
      this.#private = new PrivateBroadcast(this.#options.key ?? null);
      return this.#private;
    });
    return this.#loading;
  }

  /** `opened`: what is in the frame, where it was sealed. */
  #received(carrier: Carrier, stream: number, frame: Frame, opened = frame): void {
    const { header, payload } = frame;
    this.#partialMs = null;
    this.#records.count('framesReceived');
    this.#records.count('bytesReceived', payload.length);
    // The relay has yet to hear what this browser lacks, or its answer is on its way.
    if (header.config !== null && !this.#abilities.mayDecode(header.config.codec)) return;
    const { track } = this.#order.current ?? header;
    const verdict = this.#order.accept(stream, header);
    if (verdict === 'late') this.#records.count('lateFrames');
    if (verdict !== 'decode') return;
    // What was in the cache of another track is as old as it is.
    if (header.track !== track) this.#liveFromUs = carrier.clock.nowUs();
    this.#playout.received(opened, header.captureUs >= this.#liveFromUs);
  }

  /** While a large frame is on its way, the screen is not at rest. */
  #arriving(): void {
    const nowMs = performance.now();
    this.#partialMs ??= nowMs;
    if (nowMs - this.#partialMs >= PARTIAL_MS) this.#machine.arriving(Date.now());
  }

  #shown({ header }: FrameTag): void {
    this.#undecodable = null;
    this.#lookedMs = performance.now();
    this.#machine.shown(header.refinement, Date.now());
    if (this.#state.kind !== 'live') this.#refresh();
  }

  #broken(reason: Break): void {
    if (reason === 'overloaded') this.#records.count('skips');
    else this.#records.count('decoderErrors');
    const failed = reason === 'error' || reason === 'unsupported';
    if (failed && this.#abilities.failed(this.#playout.config?.codec ?? '')) this.#sayAbilities();
    if (reason === 'unsupported') this.#undecodable = this.#playout.config?.codec ?? null;
    // What waits may have its own keyframe to go on with.
    if (!this.#playout.goesOn()) this.#lostGroup();
  }

  /** The current group cannot go on here: wait for the next keyframe, and ask for one. */
  #lostGroup(): void {
    this.#order.break();
    this.#askForKeyframe(ASK_PAUSE_MS);
  }

  #askForKeyframe(pauseMs: number): void {
    const nowMs = performance.now();
    const lost = this.#order.current;
    if (lost === null || nowMs - this.#askedMs < pauseMs) return;
    this.#askedMs = nowMs;
    this.#records.count('keyframeRequests');
    const { epoch, group } = lost;
    this.#carrier?.send({ type: 'keyframeRequest', epoch, group });
  }

  #tick(): void {
    const nowMs = performance.now();
    this.#playout.check();
    if (this.#order.needsKeyframe) this.#askForKeyframe(ASK_AGAIN_MS);
    if (nowMs - this.#lookedMs >= IDLE_LOOK_MS) {
      this.#lookedMs = nowMs;
      this.#renderer.look(nowMs);
    }
    if (nowMs - this.#reportedMs >= REPORT_EVERY_MS) {
      this.#reportedMs = nowMs;
      this.#carrier?.send(this.#records.report(this.#reportBase));
    }
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
    const state = this.#machine.at(Date.now(), this.#carrier?.silentMs ?? 0);
    const lock = this.#private?.facts?.lock;
    if (!COVERED_BY_LOCK.has(state.kind)) return state;
    if (lock === 'locked') return { kind: 'locked', why: 'keyless' };
    return lock === 'foreign' ? { kind: 'locked', why: 'foreign' } : state;
  }

  #publish(): void {
    const config = this.#playout.config;
    const records = this.#records.snapshot({
      bufferMs: this.#playout.bufferMs,
      rttMs: this.#carrier === null ? null : this.#carrier.rttUs / 1_000,
      picture: config && { width: config.width, height: config.height, codec: config.codec },
      sound: this.#hearing?.records ?? null,
    });
    const live = this.#state.kind === 'live';
    this.#options.onSnapshot(
      {
        state: this.#state,
        records,
        undecodable: this.#undecodable,
        privacy: this.#private?.facts ?? null,
        slow: this.#slowness.at(performance.now(), live ? records.latencyMs : null),
        broadcast: this.#broadcast,
        transport: this.#options.transport ?? 'webtransport',
        blocked: false,
        footing: this.#footing.at((this.#carrier?.silentMs ?? 0) >= SILENT_MS, performance.now()),
        sound: this.#format === null ? NO_SOUND : { state: this.#port === null ? 'off' : 'on' },
      },
      this.#records.takeLog(),
    );
  }
}
