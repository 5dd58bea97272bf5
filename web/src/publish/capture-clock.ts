/** From a frame's own timestamp to the relay's clock (PROTOCOL 2.7, 4.2); pure. */

/** A source whose timestamps jump by more than this has begun a new time line. */
const JUMP_US = 250_000;
/** How fast the estimate may rise, per second, so that a source's drifting clock is followed. */
const DRIFT_US_PER_S = 500;

/**
 * A frame's timestamp has a base of its own and its arrival jitters, so the least difference ever
 * seen between arrival and timestamp is taken as the base.
 */
export class CaptureClock {
  #baseUs: number | null = null;
  #updatedUs = 0;

  /** The local time of capture, never later than its arrival. */
  localUs(timestampUs: number, arrivedUs: number): number {
    const differenceUs = arrivedUs - timestampUs;
    const elapsedS = Math.max(0, arrivedUs - this.#updatedUs) / 1_000_000;
    this.#updatedUs = arrivedUs;
    const risen = this.#baseUs === null ? differenceUs : this.#baseUs + elapsedS * DRIFT_US_PER_S;
    const jumped = differenceUs - risen > JUMP_US;
    this.#baseUs = jumped ? differenceUs : Math.min(risen, differenceUs);
    return Math.round(timestampUs + this.#baseUs);
  }
}

/** How fast the offset to the relay's clock may move: 1 % of the time that passes. */
const SLEW = 0.01;

/** Two frames with one RTP time (90,000 a second) would be one frame to WebRTC. */
const STEP_US = 12;

/** Turns the local times of one epoch's frames into relay times that rise, if only a little. */
export class RelayStamps {
  #offsetUs: number;
  #localUs: number | null = null;
  #lastUs = -STEP_US;

  /** `offsetUs`: what to add to a local time, as estimated when the epoch began. */
  constructor(offsetUs: number) {
    this.#offsetUs = offsetUs;
  }

  /** `offsetUs` is the newest estimate; it is approached slowly. */
  stamp(localUs: number, offsetUs: number): number {
    const passedUs = this.#localUs === null ? 0 : Math.max(0, localUs - this.#localUs);
    this.#localUs = localUs;
    const step = passedUs * SLEW;
    const away = offsetUs - this.#offsetUs;
    this.#offsetUs += Math.min(step, Math.max(-step, away));
    this.#lastUs = Math.max(this.#lastUs + STEP_US, Math.round(localUs + this.#offsetUs));
    return this.#lastUs;
  }
}
