/** When to ping, and when a silent session is dead (PROTOCOL 2.6); pure, the caller owns the timer. */

/** Silence after which a session is dead: three heartbeats, and never less than this. */
const DEAD_AFTER_MS = 3_000;

export class Heartbeat {
  readonly #intervalMs: number;
  #heardMs: number;
  #tickedMs: number;

  constructor(intervalMs: number, nowMs: number) {
    this.#intervalMs = intervalMs;
    this.#heardMs = nowMs;
    this.#tickedMs = nowMs;
  }

  /** Any byte from the peer is a sign of life. */
  heard(nowMs: number): void {
    this.#heardMs = nowMs;
  }

  /** How long the peer has been silent. */
  silentMs(nowMs: number): number {
    return nowMs - this.#heardMs;
  }

  /** Called at every interval; whether the session is still to be believed in. */
  tick(nowMs: number): 'alive' | 'dead' {
    const sleptMs = nowMs - this.#tickedMs - this.#intervalMs;
    this.#tickedMs = nowMs;
    if (sleptMs > this.#intervalMs) {
      // This side was asleep: bytes may wait unread, and the peer was asked nothing meanwhile.
      this.#heardMs = Math.min(nowMs, this.#heardMs + sleptMs);
    }
    return this.silentMs(nowMs) >= this.#deadAfterMs ? 'dead' : 'alive';
  }

  get #deadAfterMs(): number {
    return Math.max(DEAD_AFTER_MS, 3 * this.#intervalMs);
  }
}
