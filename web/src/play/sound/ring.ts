/** The newest two seconds or so of decoded sound, those that were played included; pure. */

import { CHANNELS } from './samples.ts';

const SIZE = 2 ** 17;
/** Finds the place of a sample, however far the line has come: quicker than a remainder. */
const MASK = SIZE - 1;

/** What is missing between two chunks. */
interface Hole {
  from: number;
  to: number;
}

export class Ring {
  readonly #channels = Array.from({ length: CHANNELS }, () => new Float32Array(SIZE));
  #start = 0;
  #end = 0;
  #holes: Hole[] = [];

  /** Behind the newest sample. */
  get end(): number {
    return this.#end;
  }

  get empty(): boolean {
    return this.#start === this.#end;
  }

  /** Forgets everything; what comes next begins at `start`. */
  restart(start: number): void {
    this.#start = start;
    this.#end = start;
    this.#holes = [];
  }

  /** Puts samples at their place. What is older than the ring reaches is left out. */
  write(start: number, channels: readonly Float32Array[]): void {
    const count = channels[0]?.length ?? 0;
    if (start > this.#end) this.#holes.push({ from: this.#end, to: start });
    else this.#fill(start, start + count);
    for (const [index, into] of this.#channels.entries()) {
      const from = channels[index] ?? channels[0];
      for (let at = 0; from !== undefined && at < count; at += 1) {
        into[(start + at) & MASK] = from[at] ?? 0;
      }
    }
    this.#end = Math.max(this.#end, start + count);
    this.#start = Math.max(this.#start, this.#end - SIZE);
    this.#holes = this.#holes.filter(({ to }) => to > this.#start);
  }

  /** How far it can be read from `position`; `position` itself where nothing is. */
  readableTo(position: number): number {
    if (position < this.#start || position >= this.#end) return position;
    let to = this.#end;
    for (const hole of this.#holes) {
      if (position >= hole.from && position < hole.to) return position;
      if (hole.from > position) to = Math.min(to, hole.from);
    }
    return to;
  }

  /** From where it can be read without a hole up to `position`; `position` itself where nothing is. */
  readableFrom(position: number): number {
    if (position <= this.#start || position > this.#end) return position;
    let from = this.#start;
    for (const hole of this.#holes) {
      if (position > hole.from && position <= hole.to) return position;
      if (hole.to <= position) from = Math.max(from, hole.to);
    }
    return from;
  }

  at(channel: number, index: number): number {
    return this.#channels[channel]?.[index & MASK] ?? 0;
  }

  /** Between samples, by the curve through the four around; `to`: where it can be read up to. */
  between(channel: number, position: number, to: number): number {
    const index = Math.floor(position);
    const part = position - index;
    const here = this.at(channel, index);
    if (part === 0) return here;
    const next = index + 1 < to ? this.at(channel, index + 1) : here;
    const before = index > this.#start ? this.at(channel, index - 1) : here;
    const after = index + 2 < to ? this.at(channel, index + 2) : next;
    const slope = (next - before) / 2;
    const square = before - 2.5 * here + 2 * next - after / 2;
    const cube = (after - before) / 2 + 1.5 * (here - next);
    return ((cube * part + square) * part + slope) * part + here;
  }

  #fill(from: number, to: number): void {
    this.#holes = this.#holes.flatMap((hole) => {
      if (to <= hole.from || from >= hole.to) return [hole];
      const left = { from: hole.from, to: from };
      const right = { from: to, to: hole.to };
      return [left, right].filter((rest) => rest.to > rest.from);
    });
  }
}
