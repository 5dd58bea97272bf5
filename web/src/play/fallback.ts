/** Plays on whichever transport works: runs the race, and shows the one that is kept. */

import { onNetworkChange } from '../session/network.ts';
import type { Memory } from './memory.ts';
import { NOTHING_YET, type PlayerSnapshot } from './messages.ts';
import type { Playback, PlaybackOptions, Surface } from './playback.ts';
import { type Plan, type Progress, Race, type TransportName } from './race.ts';
import { NO_RECORDS } from './records.ts';
import { type Health, Trial, Trouble } from './rivalry.ts';
import { type SoundWish, UNHEARD } from './sound/wish.ts';
import type { PlayoutMode } from './spread.ts';
import type { PlayerState, UnsupportedReason } from './state.ts';
import { sum } from './sum.ts';

export interface FallbackOptions extends Omit<PlaybackOptions, 'onProgress'> {
  /** How each transport is started. */
  start: Record<TransportName, (options: PlaybackOptions) => Playback>;
  /** What is possible here. */
  possible: readonly TransportName[];
  /** Why frames cannot be played directly; null: they can. */
  missing: UnsupportedReason | null;
  memory: Memory;
  /** What the viewer wants to hear. */
  sound: SoundWish;
}

/** How long a transport that begins with pictures from before is waited for, once it has one. */
const CATCH_UP_MS = 1_000;

/** One transport at work, in a layer of its own. */
interface Runner {
  name: TransportName;
  layer: HTMLElement;
  playback: Playback;
  snapshot: PlayerSnapshot;
  /** When its newest picture was captured, by the relay's clock in microseconds; null: it has told of none. */
  newestUs: number | null;
  /** Since when it has a picture. */
  picturedMs: number | null;
  /** From the viewer's first moment to this one's start. */
  afterMs: number;
}

export class FallbackPlayer {
  readonly #options: FallbackOptions;
  readonly #race: Race;
  readonly #beganMs = performance.now();
  readonly #runners = new Map<TransportName, Runner>();
  readonly #trouble = new Trouble();
  /** While another transport shows how it does. */
  #trial: { rival: TransportName; trial: Trial } | null = null;
  readonly #leaveNetwork: () => void;
  /** Whose picture is to be seen; it may have ended. */
  #shown: Runner | null = null;
  /** What ended transports have counted. */
  #past = NO_RECORDS;
  /** What a relay said to a transport that was given up. */
  #lastWords: PlayerState | null = null;
  #lostMs: number | null = null;
  /** Those that opened no session although the relay answers over TCP, since one did or it was silent. */
  readonly #failed = new Set<TransportName>();
  /** Those that cannot be. */
  readonly #impossible = new Set<TransportName>();
  /** The picture was taken back, as far as is known. */
  #covered = false;
  #playout: PlayoutMode;
  #sound = UNHEARD;
  #plan: Plan = { run: [], kept: null, againMs: null };
  #timer: ReturnType<typeof setTimeout> | undefined;
  #over = false;

  constructor(options: FallbackOptions) {
    this.#options = options;
    this.#playout = options.playout;
    this.#sound = options.sound;
    const order = options.memory.order(options.possible, Date.now());
    this.#race = new Race(order, this.#beganMs);
    this.#leaveNetwork = onNetworkChange(() => {
      this.#race.networkChanged(performance.now());
      this.#follow();
    });
    this.#follow();
  }

  /** The element with the newest picture; null: there is none yet. */
  surface(): Surface | null {
    return this.#shown?.playback.surface() ?? null;
  }

  /** Leaves the broadcast; the last picture stays. */
  stop(): void {
    this.#over = true;
    clearTimeout(this.#timer);
    this.#leaveNetwork();
    for (const { playback } of this.#runners.values()) playback.stop();
  }

  setPlayout(mode: PlayoutMode): void {
    this.#playout = mode;
    for (const { playback } of this.#runners.values()) playback.setPlayout(mode);
  }

  redraw(): void {
    for (const { playback } of this.#runners.values()) playback.redraw();
  }

  resume(): void {
    for (const { playback } of this.#runners.values()) playback.resume();
  }

  setSound(wish: SoundWish): void {
    this.#sound = wish;
    for (const runner of this.#runners.values()) this.#letHear(runner);
  }

  /** One is heard at a time: not who runs in a race, and not who is tried unseen. */
  #letHear({ name, playback }: Runner): void {
    playback.setSound(name === this.#plan.kept ? this.#sound : UNHEARD);
  }

  /** Starts and ends what the race asks for. */
  #follow(): void {
    if (this.#over) return;
    clearTimeout(this.#timer);
    const nowMs = performance.now();
    const { kept } = this.#plan;
    this.#plan = this.#race.plan(nowMs);
    const { run, againMs } = this.#plan;
    for (const runner of [...this.#runners.values()]) {
      if (!run.includes(runner.name)) this.#end(runner);
    }
    for (const name of run) if (!this.#runners.has(name)) this.#start(name);
    if (kept !== this.#plan.kept) this.setSound(this.#sound);
    if (againMs !== null) this.#timer = setTimeout(() => this.#follow(), againMs - nowMs);
    this.#show();
  }

  #start(name: TransportName): void {
    const { place, origin, token, key, endpoint, start } = this.#options;
    const layer = document.createElement('div');
    layer.className = 'player-layer';
    // Under the picture that is there, until this one has its own.
    place.prepend(layer);
    const afterMs = performance.now() - this.#beganMs;
    let early: Progress | null = null;
    const playback = start[name]({
      place: layer,
      origin,
      token,
      key,
      playout: this.#playout,
      endpoint,
      onSnapshot: (snapshot, shown) => {
        const runner = this.#runners.get(name);
        if (runner?.layer !== layer) return;
        runner.snapshot = snapshot;
        for (const { captureUs } of shown) {
          runner.newestUs = Math.max(runner.newestUs ?? captureUs, captureUs);
        }
        this.#compare(runner);
        this.#show();
        this.#publish(runner === this.#leader ? shown : []);
      },
      onProgress: (progress) => {
        if (this.#runners.get(name)?.layer === layer) this.#progressed(name, progress);
        else early = progress;
      },
    });
    const runner: Runner = {
      name,
      layer,
      playback,
      snapshot: NOTHING_YET,
      newestUs: null,
      picturedMs: null,
      afterMs,
    };
    this.#runners.set(name, runner);
    this.#letHear(runner);
    if (early !== null) this.#progressed(name, early);
  }

  #progressed(name: TransportName, progress: Progress): void {
    this.#race.tell(name, progress, performance.now());
    if (progress === 'failed') this.#failed.add(name);
    else if (progress === 'impossible') this.#impossible.add(name);
    else if (progress === 'open' || progress === 'down') this.#failed.clear();
    this.#follow();
    if (progress === 'open' && this.#plan.kept === name) this.#remember(name);
    this.#publish([]);
  }

  #remember(name: TransportName): void {
    const { memory, possible } = this.#options;
    if (possible.length > 1) memory.won(name, Date.now());
  }

  /** Lets another transport try where the kept one does badly, and keeps the better one of two that run. */
  #compare(runner: Runner): void {
    const nowMs = performance.now();
    const health = healthOf(runner);
    const kept = runner.name === this.#plan.kept;
    const trial = this.#judged();
    if (trial === null) {
      if (!kept || !this.#trouble.look(health, nowMs) || !this.#race.rematch(nowMs)) return;
      this.#trouble.restart();
      this.#follow();
      return;
    }
    if (kept) trial.kept(health, nowMs);
    else if (runner.name === this.#trial?.rival) trial.rival(health, nowMs);
    const verdict = trial.verdict(nowMs);
    if (verdict === null) return;
    this.#race.settleRematch(verdict, nowMs);
    this.#trouble.restart();
    this.#follow();
    if (verdict === 'rival' && this.#plan.kept !== null) this.#remember(this.#plan.kept);
  }

  /** The comparison with the rival of the moment; null: there is none. */
  #judged(): Trial | null {
    const rival = this.#race.rival;
    if (rival === null) this.#trial = null;
    else if (this.#trial?.rival !== rival.name) {
      this.#trial = { rival: rival.name, trial: new Trial(rival.reason, rival.longerMs) };
    }
    return this.#trial?.trial ?? null;
  }

  #end(runner: Runner): void {
    const { state, records } = runner.snapshot;
    if (state.kind === 'reconnecting') this.#lostMs = state.sinceMs;
    if (state.kind === 'refused' || state.kind === 'locked') this.#lastWords = state;
    this.#past = sum(this.#past, records, runner.afterMs);
    this.#runners.delete(runner.name);
    runner.playback.stop();
    if (runner !== this.#shown) runner.layer.remove();
  }

  /** Whose state is told: the kept one's, or the first's while none is. */
  get #leader(): Runner | null {
    const { run, kept } = this.#plan;
    const name = kept ?? run[0];
    return name === undefined ? null : (this.#runners.get(name) ?? null);
  }

  /** Lets the leader's picture take the place of another's. */
  #show(): void {
    const leader = this.#leader;
    if (
      this.#over ||
      leader === null ||
      leader === this.#shown ||
      leader.playback.surface() === null
    )
      return;
    if (this.#looksBack(leader)) return;
    const before = this.#shown;
    this.#shown = leader;
    if (before !== null && !this.#runners.has(before.name)) before.layer.remove();
    this.#lostMs = null;
  }

  /** Whether it is still at pictures that are older than what is seen. */
  #looksBack(leader: Runner): boolean {
    const nowMs = performance.now();
    if (leader.picturedMs === null) {
      leader.picturedMs = nowMs;
      setTimeout(() => this.#show(), CATCH_UP_MS);
    }
    const seenUs = this.#shown?.newestUs ?? null;
    if (seenUs === null || leader.newestUs === null || leader.newestUs >= seenUs) return false;
    return nowMs - leader.picturedMs < CATCH_UP_MS;
  }

  #publish(shown: Parameters<FallbackOptions['onSnapshot']>[1]): void {
    if (this.#over) return;
    const leader = this.#leader;
    let records = this.#past;
    for (const runner of this.#runners.values()) {
      if (runner !== leader) records = sum(records, runner.snapshot.records, runner.afterMs);
    }
    // The leader's comes last: what does not add up is taken from it.
    if (leader !== null) records = sum(records, leader.snapshot.records, leader.afterMs);
    const snapshot = leader?.snapshot ?? NOTHING_YET;
    this.#covered = isCovered(snapshot.state) ?? this.#covered;
    const state = leader === null ? this.#finalState() : this.#told(snapshot.state);
    this.#options.onSnapshot({ ...snapshot, state, records, transport: this.#plan.kept }, shown);
  }

  /** To somebody who sees a picture, a second transport's first join is a reconnection. */
  #told(state: PlayerState): PlayerState {
    if (state.kind !== 'connecting') return state;
    if (this.#shown === null) return this.#stuck ? this.#shutOut : state;
    this.#lostMs ??= Date.now();
    return { kind: 'reconnecting', sinceMs: this.#lostMs, covered: this.#covered };
  }

  /** The relay answers over TCP, and nothing that can be opens a session; all of it goes on trying. */
  get #stuck(): boolean {
    const left = this.#options.possible.filter((name) => !this.#impossible.has(name));
    return left.length > 0 && left.every((name) => this.#failed.has(name));
  }

  get #shutOut(): PlayerState {
    const { possible, missing } = this.#options;
    // Without WebCodecs there is WebRTC and nothing else.
    const alone = missing === 'insecure' ? 'insecure' : 'udp';
    const reason = possible.length === 1 && possible[0] === 'whep' ? alone : 'blocked';
    return { kind: 'unsupported', reason };
  }

  #finalState(): PlayerState {
    const reason = this.#options.missing ?? 'webtransport';
    return this.#lastWords ?? { kind: 'unsupported', reason };
  }
}

/** A page that is hidden is given no pictures by some browsers, which says nothing of their way. */
function healthOf({ snapshot }: Runner): Health {
  const { state, slow, records } = snapshot;
  return {
    moving: state.kind === 'live' && !document.hidden,
    narrow: slow?.told === true,
    shown: records.framesShown,
    delayMs: records.latencyMs,
  };
}

/** Whether the picture was taken back; null: the state says nothing of that. */
export function isCovered(state: PlayerState): boolean | null {
  switch (state.kind) {
    case 'paused':
      return true;
    case 'live':
    case 'static':
    case 'away':
      return false;
    case 'reconnecting':
      return state.covered;
    default:
      return null;
  }
}
