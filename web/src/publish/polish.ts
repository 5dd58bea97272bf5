/**
 * When a picture at rest on a narrow path is made once more, sharp. Encoders leave what stands still as
 * it is, however coarse it was made; only a keyframe with more bits is sharper. It takes the path for
 * seconds, so that it comes late, and later each time that the picture moved on meanwhile; pure.
 */

/** Rest after which it is made. */
const REST_MS = 2_500;
/** And at most after this. */
const REST_MAX_MS = 40_000;
/** What its encoder is told to aim at, in bits a second: text is sharp from here on. */
export const SHARP_BITRATE = 3_000_000;

export class Polish {
  #restingMs: number | null = null;
  #patienceMs = REST_MS;
  #made = false;

  /** The picture shows something new; `held`: while the sharp one was still on its way. */
  moved(held: boolean): void {
    if (this.#made && held) this.#patienceMs = Math.min(this.#patienceMs * 2, REST_MAX_MS);
    else if (this.#made) this.#patienceMs = Math.max(this.#patienceMs / 2, REST_MS);
    this.#restingMs = null;
    this.#made = false;
  }

  /** Whether it was made since the picture moved last. */
  get isMade(): boolean {
    return this.#made;
  }

  /** It shows nothing new. Whether it is to be made sharp now; said once. */
  isDue(nowMs: number): boolean {
    this.#restingMs ??= nowMs;
    if (this.#made || nowMs - this.#restingMs < this.#patienceMs) return false;
    this.#made = true;
    return true;
  }
}
