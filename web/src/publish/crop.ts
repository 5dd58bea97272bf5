/** What part of the source is encoded, and at what size; pure. */

import { type Crop, clamp, type Size } from './geometry.ts';

/** The smallest crop, and the smallest picture that is encoded. */
export const CROP_MIN = 16;
/** The longest side that a frame may have (PROTOCOL 4.3). */
export const SIDE_MAX = 8_192;

/** The largest picture that a resolution allows, whichever way it is turned. */
export interface Limit {
  long: number;
  short: number;
}

export interface Plan {
  /** What is cut out of the source. */
  rect: Crop;
  /** What the encoder scales it to. */
  output: Size;
}

/**
 * The nearest crop that lies inside the source: every number even, because chroma has half the
 * resolution and some encoders refuse odd sizes, and at least 16 by 16.
 */
export function snapCrop(crop: Crop, source: Size): Crop {
  const right = even(source.width);
  const bottom = even(source.height);
  const width = clamp(nearestEven(crop.width), Math.min(CROP_MIN, right), right);
  const height = clamp(nearestEven(crop.height), Math.min(CROP_MIN, bottom), bottom);
  return {
    x: clamp(nearestEven(crop.x), 0, right - width),
    y: clamp(nearestEven(crop.y), 0, bottom - height),
    width,
    height,
  };
}

/** The whole source, less a last odd column or row. */
export function wholeCrop(source: Size): Crop {
  return { x: 0, y: 0, width: even(source.width), height: even(source.height) };
}

/** The crop as it was meant, whatever the source is like at present: even, and of a size that can be encoded. */
export function meantCrop({ x, y, width, height }: Crop): Crop {
  return {
    x: Math.max(0, nearestEven(x)),
    y: Math.max(0, nearestEven(y)),
    width: clamp(nearestEven(width), CROP_MIN, SIDE_MAX),
    height: clamp(nearestEven(height), CROP_MIN, SIDE_MAX),
  };
}

/**
 * What the source has of a crop. A source that becomes smaller loses what was at its right and at its
 * bottom, so this is where the crop begins, or nothing: null. The crop never moves to another place,
 * where somebody may have cut something away.
 */
export function leftOf(crop: Crop, source: Size): Crop | null {
  const width = Math.min(crop.width, even(source.width) - crop.x);
  const height = Math.min(crop.height, even(source.height) - crop.y);
  return width < 2 || height < 2 ? null : { ...crop, width, height };
}

/** How a part of the source is sent. */
export function planFor(rect: Crop, limit: Limit | null): Plan {
  return { rect, output: fit(rect, limit) };
}

/** Scales down into the limit, never up; keeps the shape as far as even numbers can. */
export function fit(size: Size, limit: Limit | null): Size {
  const long = Math.max(size.width, size.height);
  const short = Math.min(size.width, size.height);
  const allowed = limit ?? { long: SIDE_MAX, short: SIDE_MAX };
  const scale = Math.min(1, allowed.long / long, allowed.short / short);
  if (scale === 1) return { width: size.width, height: size.height };
  return {
    width: Math.max(CROP_MIN, nearestEven(size.width * scale)),
    height: Math.max(CROP_MIN, nearestEven(size.height * scale)),
  };
}

function even(value: number): number {
  return Math.floor(value / 2) * 2;
}

function nearestEven(value: number): number {
  return Math.round(value / 2) * 2;
}
