/** Checks for sizes and rectangles from elsewhere. */

import { type Check, isCount, shape } from '../session/parse.ts';
import type { Crop, Size } from './geometry.ts';

/** Far above any screen, so that sums and products of sizes stay exact. */
const PIXELS_MAX = 65_536;

export function isPixels(value: unknown): value is number {
  return isCount(value) && value <= PIXELS_MAX;
}

const isRectangle = shape<Crop>({ x: isPixels, y: isPixels, width: isPixels, height: isPixels });

export const isSize: Check<Size> = shape<Size>({ width: isPixels, height: isPixels });

export function isCrop(value: unknown): value is Crop {
  return isRectangle(value) && value.width > 0 && value.height > 0;
}
