/** Whether a frame shows anything new: screens deliver 30 equal pictures a second. */

import type { Crop } from './geometry.ts';

/** Bands of the picture that are compared in turn while it rests. */
const TURNS = 4;
/** A longer pause means a source that delivers only changes. */
const SPARSE_MS = 100;

export class ChangeDetector {
  #last = new Uint32Array(0);
  #spare = new Uint32Array(0);
  /** What `#last` holds, as a key to compare; empty: nothing. */
  #shape = '';
  #turn = 0;
  #resting = false;
  #arrivedMs = 0;
  #readable = true;

  /**
   * Compares with the picture before. Only the cropped part counts. A picture at rest is compared a
   * quarter at a time, in turns, so that the smallest lasting change is seen within four frames.
   */
  async changed(frame: VideoFrame, rect: Crop, nowMs: number): Promise<boolean> {
    const sparse = nowMs - this.#arrivedMs > SPARSE_MS;
    this.#arrivedMs = nowMs;
    const stride = await this.#copy(frame, rect);
    if (stride === null) return true;
    const shape = `${frame.format} ${rect.x} ${rect.y} ${rect.width} ${rect.height}`;
    const comparable = shape === this.#shape;
    const turn = sparse || !this.#resting ? null : this.#turn;
    this.#turn = (this.#turn + 1) % TURNS;
    const differs = !comparable || bandsDiffer(this.#last, this.#spare, stride, turn);
    this.#resting = !differs;
    if (differs) this.#swap(shape);
    return differs;
  }

  /** The next frame counts as changed. */
  forget(): void {
    this.#shape = '';
  }

  #swap(shape: string): void {
    [this.#last, this.#spare] = [this.#spare, this.#last];
    this.#shape = shape;
  }

  /** Bytes of a row; null when the frame's memory cannot be read, so that nothing can be said. */
  async #copy(frame: VideoFrame, rect: Crop): Promise<number | null> {
    if (!this.#readable) return null;
    try {
      const words = Math.ceil(frame.allocationSize({ rect }) / 4);
      if (this.#spare.length !== words) this.#spare = new Uint32Array(words);
      const [plane] = await frame.copyTo(this.#spare, { rect });
      return plane?.stride ?? null;
    } catch {
      this.#readable = false;
      return null;
    }
  }
}

/**
 * Compares two pictures in bands of one row. With a `turn` only every fourth band, beginning at that
 * one. The planes lie one after another; a band of a narrower plane is more than one of its rows.
 */
export function bandsDiffer(
  one: Uint32Array,
  other: Uint32Array,
  stride: number,
  turn: number | null,
): boolean {
  if (one.length !== other.length) return true;
  const band = Math.max(1, Math.ceil(stride / 4));
  const step = turn === null ? band : band * TURNS;
  for (let start = (turn ?? 0) * band; start < one.length; start += step) {
    const end = Math.min(start + band, one.length);
    for (let at = start; at < end; at += 1) {
      if (one[at] !== other[at]) return true;
    }
  }
  return false;
}
