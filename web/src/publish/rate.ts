/** Limits frames to a rate by their timestamps; pure. */

/** How far before its time a frame may come, as a part of the interval: sources jitter. */
const EARLY = 0.4;
/** A source that comes this much early on and on is right, and the due times follow it. */
const DRIFT = 0.25;
/** How long after its time a frame is still waited for, likewise. */
const LATE = 0.25;

export class FrameRateLimiter {
  readonly #intervalUs: number;
  /** When the next frame is due; null before the first. */
  #dueUs: number | null = null;

  constructor(framesPerSecond: number) {
    this.#intervalUs = 1_000_000 / framesPerSecond;
  }

  /** The earliest time at which a frame is taken. */
  get opensUs(): number {
    return this.#dueUs === null ? 0 : this.#dueUs - this.#intervalUs * EARLY;
  }

  /** When a frame that came too early is taken after all, because none came on time. */
  get overdueUs(): number {
    return this.#dueUs === null ? 0 : this.#dueUs + this.#intervalUs * LATE;
  }

  admits(timeUs: number): boolean {
    return timeUs >= this.opensUs;
  }

  /** A frame of this time was taken. */
  take(timeUs: number): void {
    const intervalUs = this.#intervalUs;
    const dueUs = this.#dueUs;
    // Due times add up, so that jitter changes no average; after a pause they start anew.
    if (dueUs === null || timeUs - dueUs > intervalUs) this.#dueUs = timeUs + intervalUs;
    else this.#dueUs = Math.min(dueUs, timeUs + intervalUs * DRIFT) + intervalUs;
  }
}
