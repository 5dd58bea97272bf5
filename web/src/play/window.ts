/** The newest values of a measurement, and their percentiles. */
export class Window {
  readonly #values: number[] = [];
  readonly #size: number;
  #next = 0;

  constructor(size: number) {
    this.#size = size;
  }

  add(value: number): void {
    this.#values[this.#next] = value;
    this.#next = (this.#next + 1) % this.#size;
  }

  get count(): number {
    return this.#values.length;
  }

  /** The least value; null when there are none. */
  get least(): number | null {
    return this.#values.length === 0 ? null : Math.min(...this.#values);
  }

  /** The value that `share` (0 to 1) of the values do not exceed; null when there are none. */
  percentile(share: number): number | null {
    const sorted = this.#values.toSorted((one, other) => one - other);
    const at = Math.max(0, Math.ceil(sorted.length * share) - 1);
    return sorted[at] ?? null;
  }
}
