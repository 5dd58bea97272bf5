/** The newest values of a measurement, and their percentiles. */
export class Window {
  readonly #values: number[] = [];
  /** The same in order, kept so: percentiles are asked for at every frame. */
  readonly #sorted: number[] = [];
  readonly #size: number;
  #next = 0;

  constructor(size: number) {
    this.#size = size;
  }

  add(value: number): void {
    const oldest = this.#values[this.#next];
    if (oldest !== undefined) this.#sorted.splice(this.#place(oldest), 1);
    this.#sorted.splice(this.#place(value), 0, value);
    this.#values[this.#next] = value;
    this.#next = (this.#next + 1) % this.#size;
  }

  get count(): number {
    return this.#values.length;
  }

  /** The least value; null when there are none. */
  get least(): number | null {
    return this.#sorted[0] ?? null;
  }

  /** The value that `share` (0 to 1) of the values do not exceed; null when there are none. */
  percentile(share: number): number | null {
    const at = Math.max(0, Math.ceil(this.#sorted.length * share) - 1);
    return this.#sorted[at] ?? null;
  }

  /** Where the first value is that is not less. */
  #place(value: number): number {
    let [low, high] = [0, this.#sorted.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#sorted[middle] ?? value) < value) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
