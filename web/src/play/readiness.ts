/** How long after their capture frames are ready to be shown; pure. */

import { Window } from './window.ts';

/** Three seconds of a moving picture. */
const FRAMES = 90;
/** A large keyframe now and then is late against the sound; the others are in time. */
const SHARE = 0.9;

export class Readiness {
  #window = new Window(FRAMES);

  restart(): void {
    this.#window = new Window(FRAMES);
  }

  /**
   * A frame came out of its decoder. What it waited before it went in does not count: `delayMs` is from its
   * capture to its arrival, `atMs` when it went in.
   */
  decoded({ delayMs, atMs }: { delayMs: number; atMs: number }, nowMs: number): void {
    this.#window.add(delayMs + nowMs - atMs);
  }

  /** Null: nothing moves. */
  get usualMs(): number | null {
    return this.#window.percentile(SHARE);
  }
}
