/** What may be sent at a limited rate: what took more holds up what comes after it; pure. */

/** So much may be ahead of its time: a few frames in a row are no burst. */
const AHEAD_MS = 100;

export class Budget {
  /** Bits per second; null: as much as there is. */
  #rate: number | null = null;
  /** When all that was sent so far has gone out at that rate. */
  #freeMs = Number.NEGATIVE_INFINITY;

  /** Is it limited at all? */
  get limited(): boolean {
    return this.#rate !== null;
  }

  /** From now on so many bits a second; what was spent before stays spent. */
  setRate(rate: number | null): void {
    this.#rate = rate;
    if (rate === null) this.#freeMs = Number.NEGATIVE_INFINITY;
  }

  spend(bytes: number, nowMs: number): void {
    if (this.#rate === null) return;
    this.#freeMs = Math.max(this.#freeMs, nowMs) + (bytes * 8_000) / this.#rate;
  }

  /** When the next frame may come. */
  get opensMs(): number {
    return this.#freeMs - AHEAD_MS;
  }
}
