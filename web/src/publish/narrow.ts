/** What is asked of a picture for narrow paths; pure. */

import { BITRATE_MIN, type Favour, type Quality } from './quality.ts';

/**
 * Of what may be sent encoders are told this share: they overshoot, and pictures that are held up are
 * the larger for it. With some room left they come more often and smaller, instead of ever later.
 */
const AIM = 0.8;
/** Paths carry more than renditions may take on average: what is beyond this is held up. */
const MOST = 1.1;
/**
 * From about so many bits on a picture of text that scrolls is sharp, or at least something to be
 * seen; and fewer pictures a second than that are not wanted in any case.
 */
const PICTURES: Record<Favour, { bits: number; least: number }> = {
  sharp: { bits: 36_000, least: 10 },
  smooth: { bits: 16_000, least: 20 },
};

/**
 * The admin's wishes, but for no more than `maxKbps`: fewer pictures come first, then coarser ones,
 * or the other way round where movement matters more. The size stays: a smaller picture of text
 * cannot be read however sharp it is.
 */
export function narrowed(quality: Quality, maxKbps: number): Quality {
  const bitrate = Math.min(quality.bitrate, Math.max(BITRATE_MIN, maxKbps * 1_000 * AIM));
  const { bits, least } = PICTURES[quality.favour];
  const affordable = Math.max(least, Math.round(bitrate / bits));
  return { ...quality, bitrate, frameRate: Math.min(quality.frameRate, affordable) };
}

/** What holds a rendition back that may take so much; null: nothing. */
export function limitOf(maxKbps: number | null): { held: number } | null {
  return maxKbps === null ? null : { held: maxKbps * 1_000 * MOST };
}
