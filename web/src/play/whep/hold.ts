/** How long a browser's jitter buffer is asked to hold frames; pure, the caller brings the time. */

import { type PlayoutMode, Spread } from '../spread.ts';

/** What a frame tells of its way; times of one clock, milliseconds. */
export interface Arrival {
  captureMs: number;
  /** When its last packet came; null: the browser does not tell. */
  receivedMs: number | null;
}

/** The browser speeds up or slows down with every change: small ones, and many, are not worth it. */
const STEP_MS = 10;
const CHANGE_EVERY_MS = 1_000;
/** Sound that is later than this is out of order itself: the picture goes on without it. */
const SOUND_MAX_MS = 1_000;

export class Hold {
  readonly #spread: Spread;
  #mode: PlayoutMode;
  #newestMs = Number.NEGATIVE_INFINITY;
  #told = false;
  #soundMs: number | null = null;
  #targetMs: number | null;
  #changedMs = Number.NEGATIVE_INFINITY;

  constructor(mode: PlayoutMode) {
    this.#mode = mode;
    this.#spread = new Spread(mode);
    this.#targetMs = this.#wantedMs;
  }

  /** Sound is heard so long after its capture, and the picture is not shown before; null: none is heard. */
  set soundMs(ms: number | null) {
    this.#soundMs = ms;
  }

  set mode(mode: PlayoutMode) {
    this.#mode = mode;
    this.#spread.mode = mode;
    this.#targetMs = this.#wantedMs;
  }

  /** What to ask for; null: whatever the browser finds right. */
  get targetMs(): number | null {
    return this.#targetMs;
  }

  /** Called for every frame of one connection that is shown, in order. */
  arrived({ captureMs, receivedMs }: Arrival, nowMs: number): void {
    if (receivedMs === null) return;
    this.#told = true;
    // A frame cannot be shown before those that it builds on, however early it came itself.
    this.#newestMs = Math.max(this.#newestMs, receivedMs);
    this.#spread.arrived(this.#newestMs - captureMs, nowMs);
    this.#follow(nowMs);
  }

  #follow(nowMs: number): void {
    const wantedMs = this.#wantedMs;
    if (wantedMs === this.#targetMs) return;
    const rises = wantedMs !== null && wantedMs > (this.#targetMs ?? 0);
    if (!rises && nowMs - this.#changedMs < CHANGE_EVERY_MS) return;
    this.#changedMs = nowMs;
    this.#targetMs = wantedMs;
  }

  get #wantedMs(): number | null {
    const heardMs = this.#soundMs ?? Number.POSITIVE_INFINITY;
    const soundMs = heardMs > SOUND_MAX_MS ? 0 : this.#spread.waitMs(heardMs);
    if (this.#mode === 'live') return inSteps(soundMs);
    return this.#told ? inSteps(Math.max(this.#spread.bufferMs, soundMs)) : null;
  }
}

function inSteps(ms: number): number {
  return Math.ceil(ms / STEP_MS) * STEP_MS;
}
