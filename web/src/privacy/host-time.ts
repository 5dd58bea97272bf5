/** The time that hosts seal into their frames: their own clock's, which no relay can set. */

import { localUs } from '../session/clock.ts';

export class HostTime {
  readonly #offsetUs: number;

  /** From here on it goes as evenly as the local clock, whatever is done to the computer's. */
  constructor(unixMs = Date.now(), nowUs = localUs()) {
    this.#offsetUs = unixMs * 1_000 - nowUs;
  }

  /** Unix time, in microseconds, of a time on the local clock. */
  of(localUs: number): number {
    return Math.max(0, Math.round(localUs + this.#offsetUs));
  }
}
