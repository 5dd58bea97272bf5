/** RTP timestamps as capture times: 90 kHz of the relay's clock, modulo 2^32 (PROTOCOL 8). */

const TICKS = 2 ** 32;

/**
 * When a frame was captured, microseconds on the relay's clock: the time nearest to `nearUs` that
 * has this timestamp. They repeat every 13 hours, and a frame is never that old.
 */
export function captureUs(rtpTimestamp: number, nearUs: number): number {
  // Not times 9 first: that would leave the integers that a number holds exactly.
  const near = Math.floor((nearUs / 100) * 9);
  const ahead = (rtpTimestamp - (near % TICKS) + TICKS) % TICKS;
  const ticks = ahead >= TICKS / 2 ? ahead - TICKS : ahead;
  return Math.round(nearUs + (ticks / 9) * 100);
}
