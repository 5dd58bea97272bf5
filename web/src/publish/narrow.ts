/** What is asked of a picture for narrow paths; pure. */

import { BITRATE_MIN, type Quality } from './quality.ts';

/**
 * Of what may be sent encoders are told this share: they overshoot, and pictures that are held up are
 * the larger for it. With some room left they come more often and smaller, instead of ever later.
 */
const AIM = 0.8;
/** Paths carry more than renditions may take on average: what is beyond this is held up. */
const MOST = 1.1;
/** A picture of text that scrolls is sharp from about so many bits on. */
const PICTURE_BITS = 36_000;
/** Fewer pictures a second than this are no movement any more. */
const RATE_MIN = 10;

/**
 * The admin's wishes, but for no more than `maxKbps`: fewer pictures come first, then coarser ones.
 * The size stays: a smaller picture of text cannot be read however sharp it is.
 */
export function narrowed(quality: Quality, maxKbps: number): Quality {
  const bitrate = Math.min(quality.bitrate, Math.max(BITRATE_MIN, maxKbps * 1_000 * AIM));
  const affordable = Math.max(RATE_MIN, Math.round(bitrate / PICTURE_BITS));
  return { ...quality, bitrate, frameRate: Math.min(quality.frameRate, affordable) };
}

/** What holds a rendition back that may take so much; null: nothing. */
export function limitOf(maxKbps: number | null): { held: number } | null {
  return maxKbps === null ? null : { held: maxKbps * 1_000 * MOST };
}
