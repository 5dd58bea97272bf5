/** When a chunk of sound was captured, on the worker's clock; pure. */

import { CaptureClock } from '../capture-clock.ts';

/** A stamp of this worker's own clock is no older than what a busy worker lets wait. */
const OLD_US = 1_000_000;
/** Rounding, and devices that say when they handed a chunk over. */
const EARLY_US = 5_000;
/** How long what is stamped by another clock is taken for what was made before the stream came here. */
const SETTLING_US = 500_000;

/**
 * Chromium stamps chunks by the time origin of the context that they are made for: the worker's, once the
 * stream has come there, and the document's before. So the time of capture is known, to the millisecond; of
 * chunks with stamps of another kind it is estimated from how they arrive, as it is of pictures.
 */
export class SoundClock {
  readonly #originUs: number;
  #beganUs: number | null = null;
  #other = new CaptureClock();
  #lastUs = Number.NEGATIVE_INFINITY;

  constructor(originUs = performance.timeOrigin * 1_000) {
    this.#originUs = originUs;
  }

  /** The local time of the chunk's first sample; null: nobody knows, and what follows will say. */
  localUs(timestampUs: number, durationUs: number, arrivedUs: number): number | null {
    this.#beganUs ??= arrivedUs;
    const ownUs = this.#originUs + timestampUs;
    const ageUs = arrivedUs - ownUs;
    if (ageUs >= -EARLY_US && ageUs <= OLD_US) return ownUs;
    if (arrivedUs - this.#beganUs < SETTLING_US) return null;
    // A time line of its own begins anew where stamps go back.
    if (timestampUs < this.#lastUs) this.#other = new CaptureClock();
    this.#lastUs = timestampUs;
    return this.#other.localUs(timestampUs, arrivedUs - durationUs);
  }
}
