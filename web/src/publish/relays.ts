/** At which relay a host publishes, where there are several; pure, the caller brings the time. */

/** A relay is tried no more often. */
const AGAIN_MS = 2_000;

export class Relays {
  readonly #home: string;
  #at: string;
  #others: readonly string[] = [];
  readonly #triedMs = new Map<string, number>();

  /** `home`: the relay that the page comes from. */
  constructor(home: string) {
    this.#home = home;
    this.#at = home;
  }

  /** Where it publishes, or tries to. */
  get at(): string {
    return this.#at;
  }

  get isHome(): boolean {
    return this.#at === this.#home;
  }

  /** Those that would take it, in the order in which they are to be tried; none is no news. */
  knows(others: readonly string[]): void {
    if (others.length > 0) this.#others = others;
  }

  /** It is there now. */
  moveTo(relay: string): void {
    this.#at = relay;
  }

  /** Another one to try; null: none, or all have been a moment ago. */
  next(nowMs: number): string | null {
    this.#triedMs.set(this.#at, nowMs);
    const all = [...this.#others, this.#home].filter((relay) => relay !== this.#at);
    const rested = (relay: string) => {
      return nowMs - (this.#triedMs.get(relay) ?? Number.NEGATIVE_INFINITY) >= AGAIN_MS;
    };
    const next = all.find(rested) ?? null;
    if (next !== null) this.#triedMs.set(next, nowMs);
    return next;
  }
}
