/** Which crop belongs to a source of which size; pure. */

import { listOf, shape } from '../session/parse.ts';
import { type Crop, type Size, sameSize } from './geometry.ts';
import { isCrop, isSize } from './parse.ts';

/** A crop, and the size in pixels of the source that it was chosen for. */
export interface SizedCrop {
  source: Size;
  crop: Crop;
}

/** A desk has some screens and some windows that are shared again and again. */
const KEPT_MAX = 16;

export const areSizedCrops = listOf(shape<SizedCrop>({ source: isSize, crop: isCrop }), KEPT_MAX);

/** The crop that a source of this size had last; null: it had none, or is not remembered. */
export function cropFor(crops: readonly SizedCrop[], source: Size): Crop | null {
  return crops.find((kept) => sameSize(kept.source, source))?.crop ?? null;
}

/** With the crop that a source of this size has now, in place of the one from before. */
export function withCrop(
  crops: readonly SizedCrop[],
  source: Size,
  crop: Crop | null,
): readonly SizedCrop[] {
  const others = crops.filter((kept) => !sameSize(kept.source, source));
  return crop === null ? others : [{ source, crop }, ...others].slice(0, KEPT_MAX);
}
