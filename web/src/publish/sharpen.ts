/** When a picture at rest is encoded again; pure, the caller owns the timer. */

/** Silence after which a picture counts as at rest. */
const REST_MS = 300;
/** A few dozen times, slower and slower: 30 steps in about 11 seconds. */
const STEPS = 30;
const FIRST_STEP_MS = 66;
const GROWTH = 1.1;
/** Afterwards a rare frame shows that the picture is still the newest. */
const HEARTBEAT_MS = 10_000;

/**
 * moving: the picture changed just now; sharpening: it rests and still gets better; still: it is
 * as good as it gets and costs nothing.
 */
export type Motion = 'moving' | 'sharpening' | 'still';

export class Sharpener {
  #steps = 0;
  #dueMs: number | null = null;

  /** A new picture was encoded, or the same one as a keyframe, which is coarse again. */
  changed(nowMs: number): void {
    this.#steps = 0;
    this.#dueMs = nowMs + REST_MS;
  }

  /** The picture at rest was encoded once more. */
  refined(nowMs: number): void {
    this.#dueMs = nowMs + this.#pauseMs();
    this.#steps += 1;
  }

  /** When to encode it again; null before the first picture. */
  get dueMs(): number | null {
    return this.#dueMs;
  }

  isDue(nowMs: number): boolean {
    return this.#dueMs !== null && nowMs >= this.#dueMs;
  }

  /** Whether the picture has just come to rest: nothing of it was encoded again yet. */
  hasComeToRest(nowMs: number): boolean {
    return this.#steps === 0 && this.isDue(nowMs);
  }

  motion(nowMs: number): Motion {
    if (this.#dueMs === null) return 'still';
    if (this.#steps > STEPS) return 'still';
    if (this.#steps > 0) return 'sharpening';
    return nowMs >= this.#dueMs ? 'sharpening' : 'moving';
  }

  #pauseMs(): number {
    return this.#steps < STEPS ? FIRST_STEP_MS * GROWTH ** this.#steps : HEARTBEAT_MS;
  }
}
