/**
 * Where frames wait before they are decoded. Decoders lend few pictures, and a decoded one is a
 * hundred times as large: so a frame is decoded shortly before its time, not when it comes. Frames
 * that are not going to be shown pass at once, for those after them need them.
 */

import type { Frame } from '@steadycast/codec-glue';
import type { Timers } from './timers.ts';

export interface LineParts<Tag> {
  timers: Timers;
  /** Until a frame is to be shown. */
  dueInMs: (tag: Tag) => number;
  /** Whether it will only be decoded. */
  isHopeless: (tag: Tag) => boolean;
  /** Decoded, or being decoded, and not shown yet. */
  inHand: () => { decoding: number; decoded: number };
  decode: (frame: Frame, tag: Tag) => void;
}

/** How long before its time a frame is decoded. */
const LEAD_MS = 80;
/** Frames may be shown in another order than they are decoded: one that waits for few others. */
const REORDER = 4;
/** How many frames are in hand at a time. */
const AHEAD = 3;
/** A decoder that gives nothing for so long wants more frames before it gives the first. */
const HUNGRY_MS = 50;
const AHEAD_MAX = 16;

export class Line<Tag> {
  readonly #parts: LineParts<Tag>;
  #waiting: { frame: Frame; tag: Tag }[] = [];
  #ahead = AHEAD;
  #movedMs = Number.NEGATIVE_INFINITY;
  #cancel: () => void = () => undefined;

  constructor(parts: LineParts<Tag>) {
    this.#parts = parts;
  }

  get length(): number {
    return this.#waiting.length;
  }

  add(frame: Frame, tag: Tag): void {
    this.#waiting.push({ frame, tag });
    this.move();
  }

  /** The decoder gave a frame. */
  decoded(): void {
    this.#movedMs = this.#parts.timers.nowMs();
    this.move();
  }

  /** Passes on what may go; to be called whenever there may be room. */
  move(): void {
    this.#cancel();
    for (;;) {
      const [first] = this.#waiting;
      if (first === undefined) return;
      const waitMs = this.#waitMs(first.tag);
      if (waitMs >= 1) {
        this.#cancel = this.#parts.timers.after(waitMs, () => this.move());
        return;
      }
      this.#waiting.shift();
      if (this.#parts.inHand().decoding === 0) this.#movedMs = this.#parts.timers.nowMs();
      this.#parts.decode(first.frame, first.tag);
    }
  }

  /** After a decoder's error: only a keyframe goes on. Returns whether there is one. */
  skipToKeyframe(): boolean {
    const at = this.#waiting.findIndex(({ frame }) => frame.header.keyframe);
    if (at < 0) this.clear();
    else this.#waiting.splice(0, at);
    return at >= 0;
  }

  clear(): void {
    this.#cancel();
    this.#waiting = [];
  }

  /** How long the first one stays; 0: not at all. */
  #waitMs(tag: Tag): number {
    const { dueInMs, isHopeless, inHand, timers } = this.#parts;
    if (isHopeless(tag)) return 0;
    // What is shown before this one may need it.
    const next = this.#waiting.slice(0, REORDER).map((one) => dueInMs(one.tag));
    const earlyMs = Math.min(...next) - LEAD_MS;
    const { decoding, decoded } = inHand();
    if (decoding + decoded < this.#ahead) return Math.max(0, earlyMs);
    const hungryMs = this.#movedMs + HUNGRY_MS - timers.nowMs();
    if (decoded > 0 || hungryMs > 0) return Math.max(1, earlyMs, hungryMs);
    // Some decoders keep a few frames for themselves: they are not counted from now on.
    if (this.#ahead < AHEAD_MAX) this.#ahead += 1;
    return 0;
  }
}
