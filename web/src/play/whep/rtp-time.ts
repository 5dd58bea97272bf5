/** RTP timestamps as capture times: 90 or 48 kHz of the relay's clock, modulo 2^32 (PROTOCOL 8). */

const TICKS = 2 ** 32;

/** How many ticks there are in how many microseconds; small, so that numbers hold the products exactly. */
interface Clock {
  ticks: number;
  us: number;
}

const PICTURE: Clock = { ticks: 9, us: 100 };
export const SOUND: Clock = { ticks: 6, us: 125 };

/**
 * When a frame was captured, microseconds on the relay's clock: the time nearest to `nearUs` that
 * has this timestamp. They repeat every 13 hours or more, and a frame is never that old.
 */
export function captureUs(rtpTimestamp: number, nearUs: number, clock: Clock = PICTURE): number {
  // Not the product first: that would leave the integers that a number holds exactly.
  const near = Math.floor((nearUs / clock.us) * clock.ticks);
  const ahead = (rtpTimestamp - (near % TICKS) + TICKS) % TICKS;
  const ticks = ahead >= TICKS / 2 ? ahead - TICKS : ahead;
  return Math.round(nearUs + (ticks / clock.ticks) * clock.us);
}

/** Whether one timestamp is before another one, both of one clock. */
export function isEarlier(rtpTimestamp: number, than: number): boolean {
  return ((rtpTimestamp - than) | 0) < 0;
}
