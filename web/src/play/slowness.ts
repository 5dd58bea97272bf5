/** Whether the viewer is told that their network is slow; pure, the caller brings the time. */

/** What the relay says of the path to this player (PROTOCOL 2.13). */
export interface PathWord {
  /** It carries less than the picture needs. */
  narrow: boolean;
  carriesKbps: number | null;
}

/** What is told; `carriesKbps` null: not known. */
export interface Slow {
  carriesKbps: number | null;
  /** It is the relay that says so. */
  told: boolean;
}

/** Without the relay's word: so many replaced groups in this time say that too little comes through. */
const SKIPS = 2;
const SKIPS_WITHIN_MS = 10_000;
/** Or pictures that are so late for so long. */
const DELAY_MS = 1_000;
const DELAYED_MS = 3_000;
/** What is told stays for a while: words that come and go say nothing. */
const LINGER_MS = 4_000;

export class Slowness {
  #word: PathWord | null = null;
  #skips: number[] = [];
  #delayedMs: number | null = null;
  #slowMs = Number.NEGATIVE_INFINITY;

  /** A new session: nothing was said of its path, and what was skipped was another's. */
  restart(): void {
    this.#word = null;
    this.#skips = [];
    this.#delayedMs = null;
    this.#slowMs = Number.NEGATIVE_INFINITY;
  }

  /** The relay's word, which counts for more than what is seen here. */
  told(word: PathWord): void {
    this.#word = word;
  }

  /** Newer frames took the place of some that this player was too slow for. */
  skipped(nowMs: number): void {
    this.#skips.push(nowMs);
    if (this.#skips.length > SKIPS) this.#skips.shift();
  }

  /** `delayMs`: from capture to display at present; null: not known, or nothing moves. */
  at(nowMs: number, delayMs: number | null): Slow | null {
    if (delayMs === null || delayMs < DELAY_MS) this.#delayedMs = null;
    else this.#delayedMs ??= nowMs;
    if (this.#word?.narrow ?? this.#seen(nowMs)) this.#slowMs = nowMs;
    if (nowMs - this.#slowMs >= LINGER_MS) return null;
    return { carriesKbps: this.#word?.carriesKbps ?? null, told: this.#word !== null };
  }

  #seen(nowMs: number): boolean {
    const [first] = this.#skips;
    const skips = this.#skips.length === SKIPS && first !== undefined;
    if (skips && nowMs - first < SKIPS_WITHIN_MS) return true;
    return this.#delayedMs !== null && nowMs - this.#delayedMs >= DELAYED_MS;
  }
}
