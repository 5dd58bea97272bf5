/** Capture to display, and the wait that evens out a network's jitter. All in milliseconds. */

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

  /** The value that `share` (0 to 1) of the values do not exceed; null when there are none. */
  percentile(share: number): number | null {
    const sorted = this.#values.toSorted((one, other) => one - other);
    const at = Math.max(0, Math.ceil(sorted.length * share) - 1);
    return sorted[at] ?? null;
  }
}

const JITTER_FRAMES = 90;
/** Below this, jitter is invisible and waiting would only add delay. */
const JITTER_FLOOR_MS = 20;
const BUFFER_MAX_MS = 100;
/** The buffer shrinks slowly, so that it does not swing with every burst. */
const SHRINK = 0.02;

/** How long frames wait before they are shown, from how unevenly they arrive. Off unless allowed. */
export class JitterBuffer {
  readonly #delays = new Window(JITTER_FRAMES);
  #maxMs = 0;
  #waitMs = 0;

  /** The longest wait that is allowed, 0 to 100 ms; 0 turns it off. */
  set maxMs(value: number) {
    this.#maxMs = Math.min(BUFFER_MAX_MS, Math.max(0, value));
    this.#waitMs = Math.min(this.#waitMs, this.#maxMs);
  }

  get waitMs(): number {
    return this.#waitMs;
  }

  /** Called with the time from capture to arrival of each live frame. */
  arrived(delayMs: number): void {
    this.#delays.add(delayMs);
    if (this.#maxMs === 0) return;
    const usual = this.#delays.percentile(0.1) ?? delayMs;
    const late = (this.#delays.percentile(0.9) ?? delayMs) - usual;
    const wanted = late < JITTER_FLOOR_MS ? 0 : Math.min(this.#maxMs, late);
    this.#waitMs = wanted > this.#waitMs ? wanted : this.#waitMs + (wanted - this.#waitMs) * SHRINK;
    if (this.#waitMs < 1) this.#waitMs = 0;
  }

  /** How long a frame of this age has yet to wait. */
  dueMs(ageMs: number): number {
    if (this.#waitMs === 0) return 0;
    const usual = this.#delays.percentile(0.1) ?? ageMs;
    return Math.min(BUFFER_MAX_MS, Math.max(0, usual + this.#waitMs - ageMs));
  }
}
