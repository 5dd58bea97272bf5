/** A setting as chosen here, until the host says the same or has had time enough; pure. */

/** What the host says may have left it before it heard of the choice. */
const TRUST_MS = 1_000;

export class Draft<T> {
  readonly #same: (one: T, other: T) => boolean;
  #value: T;
  #chosenMs: number | null = null;

  constructor(value: T, same: (one: T, other: T) => boolean) {
    this.#value = value;
    this.#same = same;
  }

  get value(): T {
    return this.#value;
  }

  /** The admin's choice. */
  choose(value: T, nowMs: number): void {
    this.#value = value;
    this.#chosenMs = nowMs;
  }

  /** What the host has. */
  learn(value: T, nowMs: number): void {
    if (this.#same(value, this.#value)) this.#chosenMs = null;
    if (this.#chosenMs !== null && nowMs - this.#chosenMs < TRUST_MS) return;
    this.#chosenMs = null;
    if (!this.#same(value, this.#value)) this.#value = value;
  }
}
