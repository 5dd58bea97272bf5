/**
 * How unevenly frames arrive, and how long play-out waits because of it; pure, all in milliseconds.
 * The delay of a frame is from its capture to its arrival. On a path that loses or jitters some are
 * late against the fastest; if every frame is shown as late as those, they are shown evenly.
 */

import { Window } from './window.ts';

/** What the viewer wants; automatic: even where the path is uneven, else as near as it gets. */
export const PLAYOUT_MODES = ['automatic', 'live', 'smooth'] as const;
export type PlayoutMode = (typeof PLAYOUT_MODES)[number];

/** About twenty seconds of a moving picture, and the newest two of them. */
const LONG_FRAMES = 600;
const SHORT_FRAMES = 60;
/** Fewer say little of rare lateness: one bad moment would be a large part of them. */
const KNOWN_FRAMES = 150;
/** A single moment of late frames, as a large keyframe is one, does not tell of a change. */
const MOMENTS = 2;
/** Later than this, a frame is part of such a moment. */
const LATE_MS = 20;
/** More is not waited for: somebody is talking to these viewers. */
const BUFFER_MAX_MS = 600;
/** Lateness beyond is a stall, which is no reason to wait for the next one. */
const STALL_MS = 600;
/** How near to the usual delay a stall's last frames are. */
const RECOVERED_MS = 50;
/** Later than this all the time, it is no stall but another path. */
const STALL_FRAMES = 90;
/** How fast the wait shrinks: nobody sees that a picture runs a tenth faster. */
const SHRINK = 0.1;
/** What comes so soon is late because page and path have only just begun. */
const BEGINNING_MS = 1_000;

/**
 * Shares of the frames that are to be in time: of all that are remembered, and of the newest ones,
 * which tell of a change. `floorMs`: unevenness that is not worth waiting for; about a frame's time
 * is what a busy machine adds by itself.
 */
const WISHES = {
  automatic: { share: 0.95, soon: 0.85, floorMs: 40 },
  smooth: { share: 0.97, soon: 0.85, floorMs: 10 },
};

export class Spread {
  #mode: PlayoutMode;
  #long = new Window(LONG_FRAMES);
  #short = new Window(SHORT_FRAMES);
  /** The wait on top of the fastest recent delay. */
  #bufferMs = 0;
  #baseMs = 0;
  #stalledFrames = 0;
  #frames = 0;
  /** Whether the last frame was late, and which ones were that began so. */
  #late = false;
  #moments: number[] = [];
  #seenMs: number | null = null;
  #beganMs: number | null = null;

  constructor(mode: PlayoutMode = 'automatic') {
    this.#mode = mode;
  }

  get mode(): PlayoutMode {
    return this.#mode;
  }

  set mode(mode: PlayoutMode) {
    this.#mode = mode;
    this.#bufferMs = this.#wantedMs();
  }

  /** How long the fastest frame has to wait. */
  get bufferMs(): number {
    return this.#bufferMs;
  }

  /** How long after its capture a frame is shown; null: as soon as it can be. */
  get offsetMs(): number | null {
    return this.#bufferMs === 0 ? null : this.#baseMs + this.#bufferMs;
  }

  /** How long the fastest frame waits when frames are shown so long after their capture. */
  waitMs(offsetMs: number): number {
    return Math.max(0, offsetMs - this.#baseMs);
  }

  /** How much later than the fastest recent frames one of this delay is. */
  excessMs(delayMs: number): number {
    return this.#long.count === 0 ? 0 : Math.max(0, delayMs - this.#baseMs);
  }

  /** Called for every frame that arrives, in order. */
  arrived(delayMs: number, nowMs: number): void {
    const passedMs = this.#seenMs === null ? 0 : Math.max(0, nowMs - this.#seenMs);
    this.#seenMs = nowMs;
    this.#beganMs ??= nowMs;
    if (nowMs - this.#beganMs < BEGINNING_MS) return;
    if (this.#isStall(delayMs)) return;
    const before = this.offsetMs;
    this.#long.add(delayMs);
    this.#short.add(delayMs);
    this.#baseMs = this.#long.least ?? delayMs;
    this.#countMoments(delayMs - this.#baseMs > LATE_MS);
    // A fastest frame that was forgotten, or is new, moves no picture by itself.
    const keptMs = before === null ? 0 : Math.max(0, before - this.#baseMs);
    const wantedMs = this.#wantedMs();
    this.#bufferMs = Math.max(wantedMs, Math.min(keptMs, BUFFER_MAX_MS) - passedMs * SHRINK);
    if (this.#bufferMs < 1) this.#bufferMs = 0;
  }

  #countMoments(late: boolean): void {
    this.#frames += 1;
    if (late && !this.#late) this.#moments.push(this.#frames);
    this.#late = late;
    const [first] = this.#moments;
    if (first !== undefined && first <= this.#frames - SHORT_FRAMES) this.#moments.shift();
  }

  #wantedMs(): number {
    if (this.#mode === 'live') return 0;
    const { share, soon, floorMs } = WISHES[this.#mode];
    const known = this.#long.count >= KNOWN_FRAMES;
    const changed = this.#moments.length >= MOMENTS;
    const lateMs = Math.max(
      (known ? this.#long.percentile(share) : null) ?? 0,
      (changed ? this.#short.percentile(soon) : null) ?? 0,
    );
    const wantedMs = lateMs - this.#baseMs;
    return wantedMs < floorMs ? 0 : Math.min(BUFFER_MAX_MS, wantedMs);
  }

  /** Whether the frame belongs to a stall: its first ones are the latest, the others follow fast. */
  #isStall(delayMs: number): boolean {
    const excessMs = this.excessMs(delayMs);
    const within = this.#stalledFrames > 0 ? this.#bufferMs + RECOVERED_MS : STALL_MS;
    if (excessMs <= within) {
      this.#stalledFrames = 0;
      return false;
    }
    this.#stalledFrames += 1;
    if (this.#stalledFrames <= STALL_FRAMES) return true;
    this.#long = new Window(LONG_FRAMES);
    this.#short = new Window(SHORT_FRAMES);
    this.#stalledFrames = 0;
    return false;
  }
}
