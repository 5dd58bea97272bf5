/** What can be heard: the sound itself, what stands in for sound that is missing, and silence; pure. */

import { mostAlike } from './likeness.ts';
import type { Ring } from './ring.ts';
import { CHANNELS, FADE, samplesOf } from './samples.ts';

/** Gives one sample after the other. */
export interface Voice {
  /** The next sample of all channels, into `into`. */
  next(into: Float32Array): void;
}

export const SILENCE: Voice = { next: (into) => void into.fill(0) };

/** The sound from a place of the ring on, a little faster or slower. */
export class Reading implements Voice {
  /** Where it is read. */
  position: number;
  /** How much of the sound is played with each sample. */
  speed = 1;
  readonly #ring: Ring;
  #to: number;

  constructor(ring: Ring, position: number) {
    this.#ring = ring;
    this.position = position;
    this.#to = ring.readableTo(Math.floor(position));
  }

  /** Whether there is a next sample. */
  get goesOn(): boolean {
    // A sample lies between two before it and two behind, where they are.
    if (this.position + 3 < this.#to) return true;
    this.#to = this.#ring.readableTo(Math.floor(this.position));
    return this.position < this.#to;
  }

  /** How much of it is there without a hole. */
  get left(): number {
    return this.#ring.readableTo(Math.floor(this.position)) - this.position;
  }

  next(into: Float32Array): void {
    const there = this.goesOn;
    for (let channel = 0; channel < CHANNELS; channel += 1) {
      into[channel] = there ? this.#ring.between(channel, this.position, this.#to) : 0;
    }
    this.position += this.speed;
  }
}

/** From wherever the sound was to silence. */
export class Settling implements Voice {
  readonly #from: Float32Array;
  #at = 0;

  constructor(from: Float32Array) {
    this.#from = from.slice();
  }

  next(into: Float32Array): void {
    const gain = Math.max(0, 1 - this.#at / FADE);
    for (const [channel, sample] of this.#from.entries()) into[channel] = gain * sample;
    this.#at += 1;
  }
}

/** Pitches of voices lie between; and a template of a fade's length has to be there before. */
const PERIOD = { least: samplesOf(2.5), most: samplesOf(15) };
/** What is missing for longer is silence in the end: a tone that stands still sounds like a machine. */
const WHOLE = samplesOf(10);
const GONE = samplesOf(60);

/** The last period of a sound, again and again, fading away. */
export class Echo implements Voice {
  readonly #period: Float32Array[];
  /** How far the sample before lies from where the period would begin by itself. */
  readonly #steps: number[];
  #at = 0;

  /** Goes on behind `end`. Null: too little is there to be repeated. */
  static after(ring: Ring, end: number): Echo | null {
    const from = Math.max(ring.readableFrom(end) + 1, end - PERIOD.most - FADE);
    const model = end - FADE;
    if (model - PERIOD.least < from) return null;
    const place = mostAlike(ring, model, from, model - PERIOD.least);
    return new Echo(ring, end, model - place);
  }

  private constructor(ring: Ring, end: number, length: number) {
    this.#steps = Array.from({ length: CHANNELS }, (_, channel) => {
      return ring.at(channel, end - 1) - ring.at(channel, end - length - 1);
    });
    // Its end leads to its beginning without a step.
    this.#period = this.#steps.map((step, channel) =>
      Float32Array.from({ length }, (_, at) => {
        return ring.at(channel, end - length + at) - (step * (at + 1)) / length;
      }),
    );
  }

  /** Nothing of it is heard any more. */
  get over(): boolean {
    return this.#at >= GONE;
  }

  next(into: Float32Array): void {
    const gain = this.#at < WHOLE ? 1 : Math.max(0, (GONE - this.#at) / (GONE - WHOLE));
    const rest = Math.max(0, 1 - this.#at / FADE);
    for (const [channel, period] of this.#period.entries()) {
      const sample = period[this.#at % period.length] ?? 0;
      into[channel] = gain * (sample + rest * (this.#steps[channel] ?? 0));
    }
    this.#at += 1;
  }
}
