/**
 * Plays decoded sound: how far behind its capture, how fast, and what instead where some is missing. Pure: the
 * browser asks for samples, and its count of them is the only clock. Runs in the page's audio worklet.
 */

import type { PlayoutMode } from '../spread.ts';
import { Arrivals } from './arrivals.ts';
import { mostAlike } from './likeness.ts';
import { Ring } from './ring.ts';
import { CHANNELS, type Chunk, FADE, samplesOf } from './samples.ts';
import { Echo, Reading, Settling, SILENCE, type Voice } from './voices.ts';

/** What was counted since the beginning, in samples but for `gaps`. */
export interface SoundCounts {
  played: number;
  /** Sound that was missing when it was to be heard. */
  concealed: number;
  /** How many times that was so. */
  gaps: number;
  /** Sound that came too late. */
  late: number;
}

/** How it stands. */
export interface Standing {
  /** The browser's count of samples, of the next one. */
  frame: number;
  /** How far behind its place on the line sound is played, in samples; null: none is. */
  behind: number | null;
  /** How long, at that, a chunk that is as late as most are could wait for another one, in samples. */
  spare: number;
}

/** Faster or slower than this is heard. */
const BEND = 0.005;
/** So far off it is as fast as that. */
const BENT = samplesOf(10);
/** Closer than this, nothing is skipped or repeated: being faster or slower is enough. */
const NEAR = { slower: samplesOf(4), faster: samplesOf(80) };
/** By how much at once it gets nearer, and how seldom. */
const STEP = { most: samplesOf(15), every: samplesOf(500) };
/** Sound that is to be heard so much later is of another time. */
const FAR = samplesOf(400);

export class SoundPlayer {
  readonly #ring = new Ring();
  readonly #arrivals: Arrivals;
  readonly #counts: SoundCounts = { played: 0, concealed: 0, gaps: 0, late: 0 };
  readonly #ending = new Float32Array(CHANNELS);
  readonly #sample = new Float32Array(CHANNELS);
  #voice: Voice = SILENCE;
  /** What gives way, and for how many samples yet. */
  #last: { voice: Voice; left: number } = { voice: SILENCE, left: 0 };
  /** How far behind the picture would have it. */
  #least = Number.NEGATIVE_INFINITY;
  /** The browser's count, of the next sample. */
  #frame = 0;
  #steppedAt = 0;
  /** Since when something is missing: where on the line, and for how many samples. */
  #missing: { from: number; samples: number } | null = null;
  /** Where sound began last, behind silence or anew. */
  #begun = 0;

  constructor(mode: PlayoutMode) {
    this.#arrivals = new Arrivals(mode);
  }

  set mode(mode: PlayoutMode) {
    this.#arrivals.mode = mode;
  }

  /** How far behind it is to be played at least, for the picture's sake. */
  set least(samples: number | null) {
    this.#least = samples ?? Number.NEGATIVE_INFINITY;
  }

  get counts(): Readonly<SoundCounts> {
    return this.#counts;
  }

  get standing(): Standing {
    const reading = this.#voice instanceof Reading ? this.#voice : null;
    const behind = reading === null ? null : this.#frame - reading.position;
    const { usual } = this.#arrivals;
    const spare = behind === null || usual === null ? 0 : Math.max(0, behind - usual);
    return { frame: this.#frame, behind, spare };
  }

  /** Takes what was decoded. Chunks come in order, but for those that fill a hole. */
  take({ start, begins, restart, channels }: Chunk): void {
    const count = channels[0]?.length ?? 0;
    const ahead = start - (this.#frame - (this.#wanted ?? 0));
    if (restart || this.#ring.empty || ahead > FAR) this.#restart(start);
    else if (begins) this.#begun = start;
    if (!this.#arrivals.arrived(this.#frame - start, this.#frame)) {
      this.#counts.late += count;
      return;
    }
    const { position } = this.#voice instanceof Reading ? this.#voice : { position: start };
    if (start + count <= position) this.#counts.late += count;
    else this.#ring.write(start, channels);
  }

  /** Ends what is heard; what comes next begins anew. */
  quiet(): void {
    this.#restart(0);
  }

  /** Fills `output`, two channels; `frame`: the browser's count of its first sample. */
  render(output: readonly Float32Array[], frame: number): void {
    const count = output[0]?.length ?? 0;
    this.#frame = frame;
    this.#steer();
    for (let at = 0; at < count; at += 1) {
      this.#step();
      for (const [channel, into] of output.entries()) into[at] = this.#sample[channel] ?? 0;
      this.#frame += 1;
    }
  }

  get #wanted(): number | null {
    const { wanted } = this.#arrivals;
    return wanted === null ? null : Math.max(wanted, this.#least);
  }

  #restart(start: number): void {
    if (this.#voice instanceof Reading) this.#miss(this.#voice);
    this.#missing = null;
    // It was of another relation between the browser's count and the line.
    this.#least = Number.NEGATIVE_INFINITY;
    this.#ring.restart(start);
    this.#arrivals.restart();
    this.#begun = start;
  }

  /** Once for a few samples: where it should be, and how to get there. */
  #steer(): void {
    const wanted = this.#wanted;
    if (wanted === null) return;
    if (!(this.#voice instanceof Reading)) {
      this.#find(wanted);
      return;
    }
    const voice = this.#voice;
    const behind = this.#frame - voice.position;
    const slower = wanted - behind;
    voice.speed = 1 - Math.max(-BEND, Math.min(BEND, (slower / BENT) * BEND));
    if (slower > NEAR.slower) this.#repeat(voice, slower);
    else if (-slower > NEAR.faster) this.#skip(voice, -slower);
  }

  /** Nothing is played: looks whether there is something to be heard by now. */
  #find(wanted: number): void {
    const position = Math.round(this.#frame - wanted);
    if (this.#ring.readableTo(position) - position < FADE) return;
    const missing = this.#missing;
    this.#missing = null;
    if (missing !== null && this.#begun <= missing.from) {
      this.#counts.gaps += 1;
      this.#counts.concealed += missing.samples;
    }
    this.#change(new Reading(this.#ring, position));
  }

  /** Plays a little of what was played again, where it fits best. */
  #repeat(voice: Reading, slower: number): void {
    const at = Math.floor(voice.position);
    const to = at - Math.round(slower);
    const from = Math.max(to - STEP.most, this.#ring.readableFrom(at));
    if (this.#last.left > 0 || voice.left <= 2 * FADE || from > to) return;
    this.#move(voice, mostAlike(this.#ring, at, from, to));
  }

  /** Leaves a little out, where it fits best. */
  #skip(voice: Reading, faster: number): void {
    if (this.#last.left > 0 || this.#frame - this.#steppedAt < STEP.every) return;
    const at = Math.floor(voice.position);
    const to = at + Math.min(Math.round(faster), STEP.most);
    if (voice.left < to - at + 2 * FADE) return;
    this.#move(voice, mostAlike(this.#ring, at, at + FADE, to));
  }

  #move(voice: Reading, to: number): void {
    this.#steppedAt = this.#frame;
    const moved = new Reading(this.#ring, to + (voice.position % 1));
    moved.speed = voice.speed;
    this.#change(moved);
  }

  #change(voice: Voice): void {
    this.#last = { voice: this.#voice, left: FADE };
    this.#voice = voice;
  }

  /** The next sample of all channels. */
  #step(): void {
    const voice = this.#voice;
    if (voice instanceof Reading && !voice.goesOn) this.#miss(voice);
    if (this.#voice instanceof Echo && this.#voice.over) this.#voice = SILENCE;
    this.#voice.next(this.#sample);
    if (this.#voice instanceof Reading) this.#counts.played += 1;
    else if (this.#missing !== null) this.#missing.samples += 1;
    if (this.#last.left > 0) this.#fade();
  }

  #fade(): void {
    const last = this.#last;
    last.voice.next(this.#ending);
    const part = last.left / (FADE + 1);
    for (let channel = 0; channel < CHANNELS; channel += 1) {
      const [now = 0, before = 0] = [this.#sample[channel], this.#ending[channel]];
      this.#sample[channel] = now + (before - now) * part;
    }
    last.left -= 1;
  }

  /** What was played ends here: something stands in for what follows. */
  #miss(voice: Reading): void {
    const end = Math.floor(voice.position);
    this.#missing = { from: end, samples: 0 };
    this.#voice = Echo.after(this.#ring, end) ?? new Settling(this.#sample);
    // Behind the end there is nothing that could fade away.
    if (this.#last.voice === voice) this.#last = { voice: SILENCE, left: 0 };
  }
}
