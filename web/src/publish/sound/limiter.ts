/** Keeps a sum of sources within what can be said of a sample; pure. */

import { samplesOf } from './timeline.ts';

/** What no sample is beyond. */
const CEILING = 0.98;
/** Down within this many samples, for what is louder comes soon; and up again this slowly. */
const DOWN = samplesOf(1);
const UP_PER_SAMPLE = 1 / samplesOf(400);

export class Limiter {
  #gain = 1;

  /** Makes a frame softer where it has to be. What comes too soon for that is cut off. */
  apply(left: Float32Array, right: Float32Array): void {
    const peak = Math.max(peakOf(left), peakOf(right));
    const target = peak > CEILING ? CEILING / peak : 1;
    if (target === 1 && this.#gain === 1) return;
    const down = Math.max(0, this.#gain - target) / DOWN;
    for (let index = 0; index < left.length; index += 1) {
      this.#gain =
        this.#gain > target
          ? Math.max(target, this.#gain - down)
          : Math.min(target, this.#gain + UP_PER_SAMPLE);
      left[index] = within((left[index] ?? 0) * this.#gain);
      right[index] = within((right[index] ?? 0) * this.#gain);
    }
  }
}

function peakOf(plane: Float32Array): number {
  return plane.reduce((peak, sample) => Math.max(peak, Math.abs(sample)), 0);
}

function within(sample: number): number {
  return Math.max(-CEILING, Math.min(CEILING, sample));
}
