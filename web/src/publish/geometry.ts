/** Sizes and rectangles in pixels. */

export interface Size {
  width: number;
  height: number;
}

/** A part of the source picture, in source pixels. */
export interface Crop extends Size {
  x: number;
  y: number;
}

export function sameSize(one: Size, other: Size): boolean {
  return one.width === other.width && one.height === other.height;
}

export function sameCrop(one: Crop | null, other: Crop | null): boolean {
  if (one === null || other === null) return one === other;
  return one.x === other.x && one.y === other.y && sameSize(one, other);
}

export function clamp(value: number, min: number, max: number): number {
  return Math.min(Math.max(value, min), max);
}
