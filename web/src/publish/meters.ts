/** Rates and medians of the last moments; pure. */

/** Sums values over a sliding window. */
export class RateMeter {
  readonly #windowMs: number;
  readonly #entries: { atMs: number; value: number }[] = [];
  #sum = 0;

  constructor(windowMs = 2_000) {
    this.#windowMs = windowMs;
  }

  add(nowMs: number, value = 1): void {
    this.#entries.push({ atMs: nowMs, value });
    this.#sum += value;
    this.#forget(nowMs);
  }

  /** Per second. */
  rate(nowMs: number): number {
    this.#forget(nowMs);
    return (this.#sum * 1_000) / this.#windowMs;
  }

  #forget(nowMs: number): void {
    let first = this.#entries[0];
    while (first !== undefined && first.atMs <= nowMs - this.#windowMs) {
      this.#entries.shift();
      this.#sum -= first.value;
      first = this.#entries[0];
    }
  }
}

/** The median of the newest values. */
export class MedianMeter {
  readonly #size: number;
  readonly #values: number[] = [];

  constructor(size = 60) {
    this.#size = size;
  }

  add(value: number): void {
    this.#values.push(value);
    if (this.#values.length > this.#size) this.#values.shift();
  }

  /** Null before the first value. */
  get median(): number | null {
    const sorted = this.#values.toSorted((one, other) => one - other);
    return sorted[Math.floor(sorted.length / 2)] ?? null;
  }
}
