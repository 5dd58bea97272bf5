/**
 * Ways on which sessions break off again and again although the relay is there: of a firewall that ends what it comes
 * to know as QUIC, of a NAT that forgets soon. Pure, the caller brings the time.
 */

/** So many within so long are more than bad luck; after that each one counts, until the way has held for long. */
const MANY = 2;
const WITHIN_MS = 60_000;
const HELD_MS = 600_000;

export class Losses<Way> {
  readonly #openedMs = new Map<Way, number>();
  readonly #lostMs = new Map<Way, number[]>();
  /** How often each was found to break off. */
  readonly #frailty = new Map<Way, number>();

  opened(way: Way, nowMs: number): void {
    this.#openedMs.set(way, nowMs);
  }

  /**
   * A session on it broke off without a word, and the relay answers nevertheless; says whether the way is not to be
   * relied on now.
   */
  broke(way: Way, nowMs: number): boolean {
    if (nowMs - (this.#openedMs.get(way) ?? nowMs) >= HELD_MS) this.#frailty.delete(way);
    const lately = (this.#lostMs.get(way) ?? []).filter((atMs) => nowMs - atMs < WITHIN_MS);
    this.#lostMs.set(way, [...lately, nowMs]);
    if (!this.#frailty.has(way) && lately.length + 1 < MANY) return false;
    this.worse(way);
    return true;
  }

  /** It was tried once more, and was no better. */
  worse(way: Way): void {
    this.#frailty.set(way, this.frailty(way) + 1);
  }

  /** 0: nothing is known against it. */
  frailty(way: Way): number {
    return this.#frailty.get(way) ?? 0;
  }

  /** The most that is known against any. */
  get worst(): number {
    return Math.max(0, ...this.#frailty.values());
  }

  /** These, what is relied on first, and else in their order. */
  sorted<W extends Way>(ways: readonly W[]): W[] {
    return [...ways].sort((one, other) => this.frailty(one) - this.frailty(other));
  }

  /** The network is another one. */
  forget(): void {
    this.#lostMs.clear();
    this.#frailty.clear();
  }
}
