/**
 * Puts frames that RTP has brought in the order in which they were sent; pure, the caller brings the time. One whose packets are
 * asked for again comes behind those after it. A keyframe waits for nobody, as what is before it is
 * worth nothing any more.
 */

import { CARRIED_NUMBERS, type Carried } from '@steadycast/codec-glue';

/** What is missing for longer than this is asked for in vain; the relay forgets packets after 2 s. */
const PATIENCE_MS = 1_000;
/** What waits for a frame that is missing, at most. */
const WAITING_MAX = 300;
const WAITING_BYTES_MAX = 16 * 1024 * 1024;

export class FrameLine {
  /** The number of the next frame; null: a keyframe has to come first. */
  #next: number | null = null;
  readonly #waiting = new Map<number, Carried>();
  #waitingBytes = 0;
  #sinceMs: number | null = null;

  /** When {@link lost} is to be asked; null: nothing is missing. */
  get dueMs(): number | null {
    return this.#sinceMs === null ? null : this.#sinceMs + PATIENCE_MS;
  }

  /** The frames that can go on now, in their order. */
  push(frame: Carried, nowMs: number): Carried[] {
    if (!this.#isAhead(frame)) return [];
    if (frame.keyframe) this.#begin(frame.number);
    if (this.#next === null || this.#waiting.has(frame.number)) return [];
    this.#waiting.set(frame.number, frame);
    this.#waitingBytes += frame.frame.length;
    const ready = this.#drain();
    if (this.#waiting.size === 0) this.#sinceMs = null;
    else if (ready.length > 0 || this.#sinceMs === null) this.#sinceMs = nowMs;
    return ready;
  }

  /** Whether a frame is not waited for any more: then all that is left of its group is lost. */
  lost(nowMs: number): boolean {
    const full = this.#waiting.size > WAITING_MAX || this.#waitingBytes > WAITING_BYTES_MAX;
    const late = this.dueMs !== null && nowMs >= this.dueMs;
    if (!full && !late) return false;
    this.#next = null;
    this.#clear();
    return true;
  }

  /** Numbers wrap: of two the one is ahead that is nearer that way round. */
  #isAhead({ number }: Carried): boolean {
    return this.#next === null || aheadBy(number, this.#next) < CARRIED_NUMBERS / 2;
  }

  #begin(number: number): void {
    this.#next = number;
    for (const [other, { frame }] of this.#waiting) {
      if (aheadBy(other, number) < CARRIED_NUMBERS / 2) continue;
      this.#waiting.delete(other);
      this.#waitingBytes -= frame.length;
    }
  }

  #drain(): Carried[] {
    const ready: Carried[] = [];
    while (this.#next !== null) {
      const frame = this.#waiting.get(this.#next);
      if (frame === undefined) break;
      this.#waiting.delete(this.#next);
      this.#waitingBytes -= frame.frame.length;
      this.#next = (this.#next + 1) % CARRIED_NUMBERS;
      ready.push(frame);
    }
    return ready;
  }

  #clear(): void {
    this.#waiting.clear();
    this.#waitingBytes = 0;
    this.#sinceMs = null;
  }
}

function aheadBy(number: number, from: number): number {
  return (number - from + CARRIED_NUMBERS) % CARRIED_NUMBERS;
}
