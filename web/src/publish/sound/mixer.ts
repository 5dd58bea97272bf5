/** All sources as one, frame by frame, whenever there is enough of them. No clock, no timer. */

import { Limiter } from './limiter.ts';
import type { Strip } from './strip.ts';
import { FRAME, samplesOf } from './timeline.ts';

/** A source that is behind the others by more than this is not waited for, until it has caught up. */
const PATIENCE = samplesOf(40);
/** One of which so much came too late will go on so, and is heard later instead of never ... */
const LATE = samplesOf(500);
/** ... unless it was in time for so many times as much in between. */
const FORGIVEN = 20;
/** By a little more than it was late by at most, for it may be later still. */
const LATE_SPARE = samplesOf(10);
/** With nothing to mix for longer than this, the mix goes on only where there is something. */
const BRIDGED = samplesOf(200);
/**
 * The mix begins this much before the first sample: so the chunks of most devices, of 10 ms, fill a frame
 * also when a little of the last one is still needed for what lies between two samples.
 */
const LEAD = samplesOf(2);

export interface MixedFrame {
  left: Float32Array;
  right: Float32Array;
  /** Where it begins. */
  place: number;
  /** Nothing was there right before it. */
  begins: boolean;
}

/** What is known of a source from the frames before. */
interface Seen {
  awaited: boolean;
  /** How many samples came too late, and are not forgiven. */
  late: number;
  /** By how much at most. */
  behind: number;
}

export class Mixer {
  readonly #strips = new Map<Strip, Seen>();
  /** Those that have ended, until the next frame. */
  readonly #leaving = new Set<Strip>();
  readonly #limiter = new Limiter();
  /** Where the next frame begins; null: with whatever comes. */
  #next: number | null = null;
  #begins = true;

  add(strip: Strip): void {
    this.#strips.set(strip, { awaited: false, late: 0, behind: 0 });
  }

  /** It fades in the frame that follows, which does not wait for anything where nothing else comes. */
  remove(strip: Strip): void {
    if (!this.#strips.delete(strip)) return;
    strip.end();
    this.#leaving.add(strip);
  }

  /** The next frame; null: there is not enough for one yet. */
  pull(): MixedFrame | null {
    const place = this.#findPlace();
    if (place === null || !this.#isReady(place + FRAME)) return null;
    const left = new Float32Array(FRAME);
    const right = new Float32Array(FRAME);
    for (const [strip, seen] of this.#strips) {
      if (this.#begins) strip.forgetTail();
      this.#judge(strip, seen, place + FRAME);
      strip.mixInto(left, right, place);
    }
    for (const strip of this.#leaving) if (!this.#begins) strip.mixInto(left, right, place);
    this.#leaving.clear();
    this.#limiter.apply(left, right);
    const begins = this.#begins;
    this.#begins = false;
    this.#next = place + FRAME;
    return { left, right, place, begins };
  }

  /** Where the next frame begins: after the last one, or later where nobody has anything for it. */
  #findPlace(): number | null {
    const first = Math.min(
      ...[...this.#strips.keys()].map((strip) => strip.begins ?? Number.POSITIVE_INFINITY),
    );
    if (first === Number.POSITIVE_INFINITY) return this.#leaving.size > 0 ? this.#next : null;
    if (this.#next === null || first >= this.#next + BRIDGED) {
      this.#next = first - LEAD;
      this.#begins = true;
    }
    return this.#next;
  }

  #judge(strip: Strip, seen: Seen, end: number): void {
    seen.awaited = strip.covered >= end - PATIENCE;
    const { lost, behind } = strip.takeLate();
    if (lost > 0) {
      seen.late += lost;
      seen.behind = Math.max(seen.behind, behind);
    } else if (strip.covered >= end) {
      seen.late = Math.max(0, seen.late - FRAME / FORGIVEN);
      if (seen.late === 0) seen.behind = 0;
    }
    if (seen.late < LATE) return;
    strip.delay(seen.behind + LATE_SPARE);
    seen.late = 0;
    seen.behind = 0;
  }

  #isReady(end: number): boolean {
    const all = [...this.#strips].filter(([strip]) => strip.hasBegun);
    if (all.length === 0) return true;
    const furthest = Math.max(...all.map(([strip]) => strip.covered));
    if (furthest < end) return false;
    return all.every(
      ([strip, { awaited }]) => strip.covered >= end || !awaited || furthest > end + PATIENCE,
    );
  }
}
