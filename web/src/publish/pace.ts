/**
 * What the encoder of this machine manages, and what is asked of it: fewer pictures where it cannot
 * keep up, another codec where that is not enough, and back when there is room; pure.
 */

import { RateMeter } from './meters.ts';
import type { CodecChoice } from './quality.ts';

/** It is judged by this much time. */
const SPAN_MS = 2_000;
/** Encoding for more of the time than this, it has no time left. */
const FULL = 0.95;
/** It keeps up as long as it makes this share of what is wished for. */
const ENOUGH = 0.8;
/** Of what it makes when it does nothing else this much is asked for. */
const ASKED = 0.9;
/** With less of its time than this, it is asked for more. */
const ROOM = 0.6;
const MORE = 1.25;
/** Fewer pictures a second than this, and a codec that costs less is better. */
const WORTH = 12;
const LEAST = 5;
/** After less was asked for, more is not for so long; twice as long each time that it was too much. */
const PATIENCE_MS = { least: 5_000, most: 80_000 };
/** The same for a codec, which costs a keyframe each time. */
const CODEC_PATIENCE_MS = { least: 60_000, most: 960_000 };
/** A codec that costs more is worth a try where this one takes less of the time than this. */
const CODEC_ROOM = 0.25;
/** What costs less than what the list begins with. */
const CHEAP = 'h264' satisfies CodecChoice;

/** How a host is doing. */
export interface Look {
  /** Pictures a second. */
  wished: number;
  /** A picture waits for the encoder. */
  behind: boolean;
  /** The picture moves, as far as what was encoded says. */
  moving: boolean;
  /** The codec is not the admin's choice. */
  free: boolean;
}

export class Pace {
  readonly #spent = new RateMeter(SPAN_MS);
  readonly #made = new RateMeter(SPAN_MS);
  #sinceMs: number | null = null;
  #lastMs = Number.NEGATIVE_INFINITY;
  #frameRate: number | null = null;
  #codec: CodecChoice | null = null;
  /** When more may be asked for again. */
  #moreMs = Number.NEGATIVE_INFINITY;
  #patienceMs = PATIENCE_MS.least;
  #codecMs = Number.NEGATIVE_INFINITY;
  #codecPatienceMs = CODEC_PATIENCE_MS.least;

  /** Pictures a second that it can make; null: as many as are wished for. */
  get frameRate(): number | null {
    return this.#frameRate;
  }

  /** The codec instead of the first of the list; null: that one. */
  get codec(): CodecChoice | null {
    return this.#codec;
  }

  /** A picture is there that was given to the encoder so long ago. */
  encoded(encodeMs: number, nowMs: number): void {
    this.#sinceMs ??= nowMs;
    // It may have waited for the one before.
    this.#spent.add(nowMs, Math.min(encodeMs, nowMs - this.#lastMs));
    this.#made.add(nowMs);
    this.#lastMs = nowMs;
  }

  /** To be called now and then. True: something else is asked from now on. */
  judge({ wished, behind, moving, free }: Look, nowMs: number): boolean {
    // A picture that takes long enough to encode looks like one that rests.
    if (!moving && !behind) this.#sinceMs = null;
    if (this.#sinceMs === null || nowMs - this.#sinceMs < SPAN_MS) return false;
    const made = this.#made.rate(nowMs);
    const busy = this.#spent.rate(nowMs) / 1_000;
    if (made === 0) return false;
    const asked = Math.min(wished, this.#frameRate ?? wished);
    if (behind && busy > FULL && made < asked * ENOUGH) {
      return this.#less(made / busy, free, nowMs);
    }
    return this.#more(busy, wished, free, nowMs);
  }

  #less(able: number, free: boolean, nowMs: number): boolean {
    this.#again(nowMs);
    const relapsed = nowMs < this.#moreMs + SPAN_MS * 2;
    this.#patienceMs = relapsed
      ? Math.min(this.#patienceMs * 2, PATIENCE_MS.most)
      : PATIENCE_MS.least;
    this.#moreMs = nowMs + this.#patienceMs;
    if (able < WORTH && free && this.#codec === null) {
      this.#codec = CHEAP;
      this.#codecMs = nowMs + this.#codecPatienceMs;
      this.#codecPatienceMs = Math.min(this.#codecPatienceMs * 2, CODEC_PATIENCE_MS.most);
      this.#frameRate = null;
      return true;
    }
    this.#frameRate = Math.max(LEAST, Math.floor(able * ASKED));
    return true;
  }

  #more(busy: number, wished: number, free: boolean, nowMs: number): boolean {
    if (this.#codec !== null && !free) {
      this.#codec = null;
      return true;
    }
    if (this.#frameRate !== null) {
      if (busy > ROOM || nowMs < this.#moreMs) return false;
      const rate = Math.ceil(this.#frameRate * MORE);
      this.#frameRate = rate >= wished ? null : rate;
      this.#moreMs = nowMs + SPAN_MS;
      this.#again(nowMs);
      return true;
    }
    if (this.#codec === null || busy > CODEC_ROOM || nowMs < this.#codecMs) return false;
    this.#codec = null;
    this.#again(nowMs);
    return true;
  }

  /** What was made before says nothing of what is asked for now. */
  #again(nowMs: number): void {
    this.#sinceMs = nowMs;
  }
}
