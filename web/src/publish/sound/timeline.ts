/** The samples of the mix, counted from a moment of the local clock; pure. */

/** Samples a second, of the mix and of what is sent. */
export const RATE = 48_000;
/** Samples of one frame: 20 ms. */
export const FRAME = 960;
export const FRAME_US = 20_000;

export class Timeline {
  readonly #originUs: number;

  constructor(originUs: number) {
    this.#originUs = originUs;
  }

  /** Where a moment lies, as a number of samples. */
  placeOf(localUs: number): number {
    return ((localUs - this.#originUs) * RATE) / 1_000_000;
  }

  localUs(place: number): number {
    return this.#originUs + (place * 1_000_000) / RATE;
  }
}

export function samplesOf(ms: number): number {
  return (ms * RATE) / 1_000;
}
