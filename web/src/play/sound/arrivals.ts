/**
 * How unevenly sound arrives, and how far behind it is played because of it; pure, all in samples.
 * What counts for each chunk is how far behind it would have to be played to be there just in time,
 * the browser's own delays included.
 */

import type { PlayoutMode } from '../spread.ts';
import { Window } from '../window.ts';
import { samplesOf } from './samples.ts';

/** Ten seconds of chunks of 20 ms. */
const REMEMBERED = 500;
/** This share of them is in time by itself; the guard is for the others. */
const SHARE = 0.95;
/** Later than this beyond what is waited for is a stall, which is no reason to wait for the next one. */
const STALL = samplesOf(400);
/** Later than this all the time, it is no stall but another path. */
const STALL_CHUNKS = 50;
/** What comes so soon is late because page and path have only just begun; it is forgotten then. */
const BEGINNING = samplesOf(1_500);
/** More is not waited for: somebody is talking to these viewers. */
const MOST = samplesOf(600);

/**
 * `least`: the guard on a path that is even; `lasting`: in how many samples most of it goes, once something was
 * late. What comes late once may do so again, and each time would be heard.
 */
const GUARDS: Record<PlayoutMode, { least: number; lasting: number }> = {
  live: { least: samplesOf(10), lasting: samplesOf(10_000) },
  automatic: { least: samplesOf(12), lasting: samplesOf(20_000) },
  smooth: { least: samplesOf(40), lasting: samplesOf(60_000) },
};

export class Arrivals {
  #mode: PlayoutMode;
  #window = new Window(REMEMBERED);
  #guard: number;
  #stalled = 0;
  #seen: number | null = null;
  /** When this path began; null: it is known. */
  #began: number | null = null;

  constructor(mode: PlayoutMode) {
    this.#mode = mode;
    this.#guard = GUARDS[mode].least;
  }

  set mode(mode: PlayoutMode) {
    this.#mode = mode;
    this.#guard = GUARDS[mode].least;
  }

  /** How far behind most would have to be played; null: nothing is known yet. */
  get usual(): number | null {
    return this.#window.percentile(SHARE);
  }

  /** How far behind sound is to be played; null: nothing is known yet. */
  get wanted(): number | null {
    const { usual } = this;
    if (usual === null) return null;
    return Math.min(usual + this.#guard, (this.#window.least ?? usual) + MOST);
  }

  /** Another path begins. */
  restart(): void {
    this.#window = new Window(REMEMBERED);
    this.#guard = GUARDS[this.#mode].least;
    this.#stalled = 0;
    this.#seen = null;
    this.#began = null;
  }

  /**
   * A chunk came that would have to be played `behind` at least; `frame` is the time, in samples. False: it
   * belongs to a stall, and is not to be waited for.
   */
  arrived(behind: number, frame: number): boolean {
    const { least, lasting } = GUARDS[this.#mode];
    const passed = this.#seen === null ? 0 : Math.max(0, frame - this.#seen);
    if (this.#seen === null) this.#began = frame;
    else if (this.#began !== null && frame - this.#began > BEGINNING) this.#forgetBeginning();
    this.#seen = frame;
    this.#guard = Math.max(least, this.#guard * Math.exp(-passed / lasting));
    const wanted = this.wanted;
    if (wanted !== null && behind > wanted + STALL) {
      this.#stalled += 1;
      if (this.#stalled < STALL_CHUNKS) return false;
      this.restart();
    }
    this.#stalled = 0;
    this.#window.add(behind);
    const usual = this.usual ?? behind;
    this.#guard = Math.max(this.#guard, Math.min(MOST, behind - usual + least / 2));
    return true;
  }

  #forgetBeginning(): void {
    this.#window = new Window(REMEMBERED);
    this.#guard = GUARDS[this.#mode].least;
    this.#began = null;
  }
}
