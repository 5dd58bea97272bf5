/** Sound and picture in time: when what is played is heard, by the relay's clock; pure. */

import type { HeardAt } from './messages.ts';
import type { Standing } from './player.ts';
import { RATE } from './samples.ts';

const US_PER_SAMPLE = 1_000_000 / RATE;
/** How much one look at the browser's clock counts: each is a little off in some of them. */
const SHARE = 0.1;
/** So far off is no inexactness: the browser stood still. */
const MOVED_US = 20_000;
/** For a picture that is later than this, sound does not wait. */
const WAIT_MAX_US = 500_000;

export class InTime {
  /** The page's time at which the browser's first sample was, or would have been, heard. */
  #zeroUs: number | null = null;

  /** The browser says when a sample is heard. */
  look({ frame, localUs }: HeardAt): void {
    const zeroUs = localUs - frame * US_PER_SAMPLE;
    const off = this.#zeroUs === null ? Number.POSITIVE_INFINITY : zeroUs - this.#zeroUs;
    if (this.#zeroUs === null || Math.abs(off) > MOVED_US) this.#zeroUs = zeroUs;
    else this.#zeroUs += off * SHARE;
  }

  /**
   * How long after its capture sound is heard, microseconds; null: nobody knows. `captured`: when a sample of the line
   * was captured, on the relay's clock; `offsetUs`: from the page's clock to that.
   */
  delayUs(
    { frame, behind }: Standing,
    captured: (sample: number) => number | null,
    offsetUs: number,
  ): number | null {
    if (this.#zeroUs === null || behind === null) return null;
    const capturedUs = captured(frame - behind);
    if (capturedUs === null) return null;
    return this.#zeroUs + frame * US_PER_SAMPLE + offsetUs - capturedUs;
  }
}

/** How far behind sound is to be played for the picture's sake, in samples; null: it need not wait. */
export function leastBehind(
  behind: number,
  soundUs: number,
  pictureUs: number | null,
): number | null {
  if (pictureUs === null || pictureUs - soundUs > WAIT_MAX_US) return null;
  return behind + (pictureUs - soundUs) / US_PER_SAMPLE;
}
