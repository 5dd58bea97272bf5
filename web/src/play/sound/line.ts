/** Where frames are on the line of samples, and when on the relay's clock; pure. */

import type { SoundFrame } from './intake.ts';
import { RATE } from './samples.ts';

const perUs = RATE / 1_000_000;

/** Frames follow one another by their lengths: capture times of a clock of its own would leave cracks. */
export class SoundLine {
  #next: { epoch: number; sample: number; captureUs: number } | null = null;

  /** Where the frame begins. Frames come in order. */
  place({ epoch, captureUs, durationUs, begins, lost }: SoundFrame): number {
    const start = this.#start(captureUs, begins, lost * durationUs);
    const count = Math.round(durationUs * perUs);
    this.#next = { epoch, sample: start + count, captureUs: captureUs + durationUs };
    return start;
  }

  /** The epoch of the newest frame; null: there was none. */
  get epoch(): number | null {
    return this.#next?.epoch ?? null;
  }

  /** When the sample of that place was captured, on the relay's clock; null: nothing has come. */
  captureUs(sample: number): number | null {
    const next = this.#next;
    return next === null ? null : next.captureUs + (sample - next.sample) / perUs;
  }

  #start(captureUs: number, begins: boolean, lostUs: number): number {
    const next = this.#next;
    if (next === null) return 0;
    if (!begins) return next.sample + Math.round(lostUs * perUs);
    // Silence that was not sent took its time; and another publisher's sound may begin before the last one's end.
    return next.sample + Math.round((captureUs - next.captureUs) * perUs);
  }
}
