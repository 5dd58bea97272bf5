/** One source of the mix: put where it belongs in time, made louder or softer, without clicks. Pure. */

import { LevelMeter } from './meter.ts';
import { Resampler } from './resampler.ts';
import { FRAME, RATE, samplesOf } from './timeline.ts';

/** Of what a source gives, so much is kept for a mix that waits for another source. */
const ROOM_S = 0.5;
/** A source that is away from its place by more than this has a gap, or goes on elsewhere. */
const ASTRAY = samplesOf(20);
/** One chunk with a wrong time is not yet a reason to believe it. */
const ASTRAY_SHARE = 1 / 4;
/** A source's own clock is followed slowly: over this many samples what it is away is made good. */
const BEND_OVER = 2 * RATE;
const BEND_SHARE = 1 / 32;
/** Nobody hears this much of a change of pitch. */
const BEND_MAX = 0.005;
/** Within this many samples a source comes and goes: 5 ms. */
const FADE = samplesOf(5);
/** Within this many its loudness changes by as much as it was recorded with: 10 ms. */
const TURN = samplesOf(10);

/** What a source gives at a time. */
export interface Chunk {
  /** A plane for each channel, of which the first two are used. */
  planes: readonly Float32Array[];
  rate: number;
  /** Where its first sample belongs, as a place of the mix. */
  place: number;
}

export class Strip {
  readonly #meter = new LevelMeter();
  #resampler: Resampler | null = null;
  #rate = 0;
  /** The sample of the input, between two most often, that belongs to {@link #next}. */
  #input = 0;
  /** The place of the mix that is mixed next. */
  #next = 0;
  /** How much later than it was recorded it is heard, in samples of the mix. */
  #delay = 0;
  #gaps = 0;
  #late = { lost: 0, behind: 0 };
  #away = 0;
  #bend = 0;
  #target = 1;
  #gain = 1;
  /** From 0 to 1, while it comes. */
  #presence = 0;
  /** The newest samples that were mixed of each channel, which a source that breaks off ends with, backwards. */
  readonly #last = [new Float32Array(FADE), new Float32Array(FADE)] as const;
  #lastAt = 0;
  readonly #scratch = [new Float32Array(FRAME), new Float32Array(FRAME)] as const;
  #tail: { planes: readonly [Float32Array, Float32Array]; at: number } | null = null;

  /** How loud it is to be: 1, as it was recorded; 0, not at all. */
  set gain(gain: number) {
    this.#target = gain;
    // Nobody has heard it yet: there is nothing to turn down or up.
    if (this.#resampler === null) this.#gain = gain;
  }

  /** Whether anything of it goes into the mix: it is not muted, or not yet. */
  get isHeard(): boolean {
    return this.#target > 0 || this.#gain > 0;
  }

  /** How loud it went into the mix since this was asked last, from 0 to 1. */
  level(): number {
    return this.#meter.read();
  }

  /** Up to where of the mix there are samples. */
  get covered(): number {
    const resampler = this.#resampler;
    if (resampler === null) return Number.NEGATIVE_INFINITY;
    return this.#next + (resampler.ready - this.#input) / this.#step(resampler);
  }

  /** The first place of the mix that there is a sample for; null: there is none so far. */
  get begins(): number | null {
    return this.covered > this.#next ? this.#next : null;
  }

  /** Whether anything of it has come since it began, or began anew. */
  get hasBegun(): boolean {
    return this.#resampler !== null;
  }

  /** Since this was asked last: how many of its samples came when the mix was past them, and how far past at most. */
  takeLate(): { lost: number; behind: number } {
    const late = this.#late;
    this.#late = { lost: 0, behind: 0 };
    return late;
  }

  /** How often samples were missing between others, or were dropped because nobody mixed them in time. */
  get gaps(): number {
    return this.#gaps;
  }

  take({ planes, rate, place: recorded }: Chunk): void {
    const place = recorded + this.#delay;
    const channels = Math.min(2, planes.length);
    if (channels === 0) return;
    let resampler = this.#resampler;
    if (resampler === null || rate !== this.#rate || channels !== resampler.channels) {
      this.#cut();
      resampler = new Resampler(rate, RATE, channels, Math.ceil(rate * ROOM_S));
      this.#resampler = resampler;
      this.#rate = rate;
      this.#put(resampler, place);
    } else {
      this.#follow(resampler, place);
    }
    this.#judge(resampler, planes[0]?.length ?? 0);
    resampler.push(planes);
    // What had to make way is not waited for.
    if (this.#input < resampler.begin) this.#skip(resampler, resampler.begin - this.#input);
  }

  /** Long ago it was: neither what was heard nor how it would have ended is heard again. */
  forgetTail(): void {
    this.#tail = null;
    this.#presence = 0;
  }

  /** Nobody mixes it any more; what comes next begins anew. */
  rest(): void {
    this.#resampler = null;
    this.#gain = this.#target;
    this.forgetTail();
  }

  /** Nothing more comes; the next frame has its end. */
  end(): void {
    this.#resampler = null;
    this.#cut();
  }

  /** It always comes later than the mix can wait for: from now on it is heard later by so much. */
  delay(samples: number): void {
    const whole = Math.ceil(samples);
    this.#delay += whole;
    this.#next += whole;
    this.#cut();
  }

  /** Adds what belongs to the frame that begins at this place to it, and is done with it. */
  mixInto(left: Float32Array, right: Float32Array, from: number): void {
    this.#catchUp(from);
    const begin = Math.min(FRAME, Math.max(0, this.#next - from));
    const count = this.#read(FRAME - begin);
    for (let index = 0; index < FRAME; index += 1) {
      this.#turn();
      const at = index - begin;
      let [one, other] = [0, 0];
      if (at >= 0 && at < count) {
        const loud = this.#gain * this.#come();
        one = (this.#scratch[0][at] as number) * loud;
        other = (this.#scratch[1][at] as number) * loud;
        this.#meter.heard(one);
        this.#meter.heard(other);
        this.#remember(one, other);
      } else {
        this.#cut();
      }
      this.#addTail(left, right, index);
      left[index] = (left[index] as number) + one;
      right[index] = (right[index] as number) + other;
    }
    this.#catchUp(from + FRAME);
  }

  /** So many samples come next. */
  #judge(resampler: Resampler, count: number): void {
    const step = this.#step(resampler);
    const behind = (this.#input - resampler.end) / step;
    if (behind <= 0) return;
    this.#late.lost += Math.min(behind, count / step);
    this.#late.behind = Math.max(this.#late.behind, behind);
  }

  /** What the mix is past is not heard any more. */
  #catchUp(from: number): void {
    const resampler = this.#resampler;
    if (resampler === null || this.#next >= from) return;
    this.#cut();
    this.#input += (from - this.#next) * this.#step(resampler);
    this.#next = from;
  }

  /** Reads as many samples as there are, at most so many; returns how many. */
  #read(most: number): number {
    const resampler = this.#resampler;
    if (resampler === null) return 0;
    const step = this.#step(resampler);
    const there = Math.floor((resampler.ready - this.#input) / step) + 1;
    const count = Math.max(0, Math.min(most, there));
    const [one, other] = this.#scratch;
    resampler.read(0, this.#input, step, one, count);
    if (resampler.channels === 2) resampler.read(1, this.#input, step, other, count);
    else other.set(one);
    this.#input += count * step;
    this.#next += count;
    resampler.forget(this.#input);
    return count;
  }

  #step(resampler: Resampler): number {
    return resampler.step * (1 + this.#bend);
  }

  /** The next sample that comes belongs here. */
  #put(resampler: Resampler, place: number): void {
    this.#next = Math.ceil(place);
    this.#input = resampler.end + (this.#next - place) * resampler.step;
    this.#away = 0;
    this.#bend = 0;
  }

  /** Compares where the next sample belongs with where it would be. */
  #follow(resampler: Resampler, place: number): void {
    const expected = this.#next + (resampler.end - this.#input) / this.#step(resampler);
    const away = place - expected;
    this.#away += (away - this.#away) * ASTRAY_SHARE;
    if (Math.abs(this.#away) > ASTRAY) {
      this.#gaps += 1;
      this.#cut();
      this.#put(resampler, place);
      return;
    }
    // A source whose samples come late has fewer of them a second: each has to last longer.
    const wished = Math.max(-BEND_MAX, Math.min(BEND_MAX, -away / BEND_OVER));
    this.#bend += (wished - this.#bend) * BEND_SHARE;
  }

  #skip(resampler: Resampler, samples: number): void {
    this.#gaps += 1;
    this.#cut();
    this.#input += samples;
    this.#next += Math.round(samples / this.#step(resampler));
  }

  /** What was heard so far ends here, softly. */
  #cut(): void {
    if (this.#presence === 0) return;
    const planes = [this.#backwards(0), this.#backwards(1)] as const;
    this.#tail = { planes, at: 0 };
    this.#presence = 0;
  }

  #backwards(channel: 0 | 1): Float32Array {
    const last = this.#last[channel];
    // As loud as it was: what had only begun to come is in there as such.
    return last.map((_, index) => last[(this.#lastAt - 1 - index + 2 * FADE) % FADE] ?? 0);
  }

  #remember(one: number, other: number): void {
    this.#last[0][this.#lastAt] = one;
    this.#last[1][this.#lastAt] = other;
    this.#lastAt = (this.#lastAt + 1) % FADE;
  }

  #turn(): void {
    const away = this.#target - this.#gain;
    const most = 1 / TURN;
    this.#gain += Math.max(-most, Math.min(most, away));
  }

  #come(): number {
    this.#presence = Math.min(1, this.#presence + 1 / FADE);
    return this.#presence;
  }

  #addTail(left: Float32Array, right: Float32Array, index: number): void {
    const tail = this.#tail;
    if (tail === null) return;
    const loud = 1 - tail.at / FADE;
    left[index] = (left[index] as number) + (tail.planes[0][tail.at] as number) * loud;
    right[index] = (right[index] as number) + (tail.planes[1][tail.at] as number) * loud;
    tail.at += 1;
    if (tail.at === FADE) this.#tail = null;
  }
}
