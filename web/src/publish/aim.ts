/**
 * What an encoder is told to aim at so that it makes what it is to make: some make more, the more so
 * the larger the changes between two pictures are; pure.
 */

import { RateMeter } from './meters.ts';

/** Rates are measured, and corrected, over so much time. */
const SPAN_MS = 2_000;
/** So much more than it was told is no overshoot. */
const TOLERATED = 1.1;
/** The least share of what it is to make that it is told. */
const LEAST = 0.4;
/** A step down and up. */
const DOWN = 0.8;
const UP = 1.1;
const STEP_MS = { down: 700, up: 2_000 };

export class Aim {
  readonly #made = new RateMeter(SPAN_MS);
  #share = 1;
  #steppedMs = Number.NEGATIVE_INFINITY;

  /** Of what it is to make the encoder is told this share. */
  get share(): number {
    return this.#share;
  }

  /** It made so much. */
  made(bytes: number, nowMs: number): void {
    this.#made.add(nowMs, bytes * 8);
  }

  /** Compares that with the bits a second that it is to make; a keyframe is none of its fault. */
  correct(bitrate: number, nowMs: number): void {
    const over = this.#made.rate(nowMs) > bitrate * TOLERATED;
    const sinceMs = nowMs - this.#steppedMs;
    if (over && this.#share > LEAST && sinceMs >= STEP_MS.down) {
      this.#share = Math.max(LEAST, this.#share * DOWN);
      this.#steppedMs = nowMs;
    } else if (!over && this.#share < 1 && sinceMs >= STEP_MS.up) {
      this.#share = Math.min(1, this.#share * UP);
      this.#steppedMs = nowMs;
    }
  }

  /** It is to make something else from now on. */
  reset(): void {
    this.#share = 1;
  }
}
