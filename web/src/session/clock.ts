/** The relay's clock, as a client estimates it (PROTOCOL 2.7). */

/** One exchange: local times of sending and receiving, the relay's time in between; microseconds. */
export interface ClockSample {
  sentUs: number;
  receivedUs: number;
  relayUs: number;
}

interface Estimate {
  offsetUs: number;
  rttUs: number;
}

const SAMPLES = 16;

/** A monotonic local clock in microseconds, near Unix time. */
export function localUs(): number {
  return Math.round((performance.timeOrigin + performance.now()) * 1_000);
}

/** Turns local times into relay times with the sample of the least round trip of the last 16. */
export class RelayClock {
  readonly #now: () => number;
  readonly #estimates: Estimate[] = [];
  #best: Estimate;

  /** `first` is the exchange of `Hello` and `Welcome`, so that there is always an estimate. */
  constructor(first: ClockSample, now: () => number = localUs) {
    this.#now = now;
    this.#best = estimate(first);
    this.#estimates.push(this.#best);
  }

  add(sample: ClockSample): void {
    this.#estimates.push(estimate(sample));
    if (this.#estimates.length > SAMPLES) this.#estimates.shift();
    // Between equals the newer one has drifted less.
    this.#best = this.#estimates.reduce((best, one) => (one.rttUs <= best.rttUs ? one : best));
  }

  /** What to add to a local time. */
  get offsetUs(): number {
    return this.#best.offsetUs;
  }

  /** The round trip of the sample in use. */
  get rttUs(): number {
    return this.#best.rttUs;
  }

  /** The relay's time now, in whole microseconds. */
  nowUs(): number {
    return this.relayUs(this.#now());
  }

  /** The relay's time at a local time of the clock that the samples were taken with. */
  relayUs(localUs: number): number {
    return Math.round(localUs + this.#best.offsetUs);
  }
}

function estimate({ sentUs, receivedUs, relayUs }: ClockSample): Estimate {
  return {
    offsetUs: relayUs - (sentUs + receivedUs) / 2,
    rttUs: Math.max(0, receivedUs - sentUs),
  };
}
