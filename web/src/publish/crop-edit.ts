/** How a crop changes under a pointer or the keyboard; pure, in source pixels. */

import { CROP_MIN, snapCrop } from './crop.ts';
import { type Crop, clamp, type Size } from './geometry.ts';

/** The edges that a handle moves. */
export type Handle = 'n' | 'ne' | 'e' | 'se' | 's' | 'sw' | 'w' | 'nw';

export const HANDLES: readonly Handle[] = ['n', 'ne', 'e', 'se', 's', 'sw', 'w', 'nw'];

/** Moves the whole crop; it stops at the source's edges and keeps its size. */
export function moveCrop(crop: Crop, dx: number, dy: number, source: Size): Crop {
  return snapCrop({ ...crop, x: crop.x + dx, y: crop.y + dy }, source);
}

/**
 * Drags a handle by (dx, dy). With an aspect (width / height) the shape is kept: a corner follows
 * the pointer's larger move, an edge grows the crop around its middle.
 */
export function resizeCrop(
  crop: Crop,
  handle: Handle,
  move: { dx: number; dy: number },
  source: Size,
  aspect: number | null,
): Crop {
  const free = dragEdges(crop, handle, move, source);
  return snapCrop(aspect === null ? free : withAspect(free, crop, handle, aspect, source), source);
}

/** A drawn crop that is smaller than this, either way, was a slip of the hand. */
const DRAWN_MIN = 64;

/** Whether a drawn crop is large enough to be meant. */
export function isMeant(drawn: Crop, source: Size): boolean {
  const enough = (side: number, most: number) => side >= Math.min(DRAWN_MIN, most - 1);
  return enough(drawn.width, source.width) && enough(drawn.height, source.height);
}

/** A new crop between two points, as by dragging on an empty place. */
export function drawCrop(
  from: { x: number; y: number },
  to: { x: number; y: number },
  source: Size,
  aspect: number | null,
): Crop {
  const start = { x: clamp(from.x, 0, source.width), y: clamp(from.y, 0, source.height) };
  const handle = `${to.y < from.y ? 'n' : 's'}${to.x < from.x ? 'w' : 'e'}` as Handle;
  const seed = { ...start, width: 0, height: 0 };
  const move = { dx: to.x - start.x, dy: to.y - start.y };
  return resizeCrop(seed, handle, move, source, aspect);
}

/** The numbers of a crop, as they are typed. */
export type CropField = keyof Crop;

/**
 * A crop with one number typed. What is typed holds as far as the source reaches: where the size has
 * no room behind an edge it becomes smaller, and the other edges stay where they are, so that nothing
 * comes to be shown that nobody asked for. With an aspect the other side follows.
 */
export function typeCrop(
  crop: Crop,
  field: CropField,
  value: number,
  source: Size,
  aspect: number | null,
): Crop {
  const typed = { ...crop, [field]: value };
  const x = clamp(typed.x, 0, Math.max(0, source.width - CROP_MIN));
  const y = clamp(typed.y, 0, Math.max(0, source.height - CROP_MIN));
  const room = { width: source.width - x, height: source.height - y };
  const width = clamp(typed.width, CROP_MIN, room.width);
  const height = clamp(typed.height, CROP_MIN, room.height);
  if (aspect === null) return snapCrop({ x, y, width, height }, source);
  const across = field === 'width' || (field === 'x' && width < crop.width);
  const down = field === 'height' || (field === 'y' && height < crop.height);
  const wanted = across ? width : down ? height * aspect : crop.width;
  const fitting = Math.min(wanted, room.width, room.height * aspect);
  return snapCrop({ x, y, width: fitting, height: fitting / aspect }, source);
}

/** The largest crop of this shape around the middle of the given one. */
export function reshapeCrop(crop: Crop, aspect: number, source: Size): Crop {
  const width = Math.min(crop.width, crop.height * aspect);
  const height = width / aspect;
  const x = crop.x + (crop.width - width) / 2;
  const y = crop.y + (crop.height - height) / 2;
  return snapCrop(grownToMinimum({ x, y, width, height }, aspect), source);
}

function dragEdges(
  crop: Crop,
  handle: Handle,
  { dx, dy }: { dx: number; dy: number },
  source: Size,
): Crop {
  let left = crop.x;
  let top = crop.y;
  let right = crop.x + crop.width;
  let bottom = crop.y + crop.height;
  if (handle.includes('w')) left = clamp(left + dx, 0, Math.max(0, right - CROP_MIN));
  if (handle.includes('e')) right = clamp(right + dx, left + CROP_MIN, source.width);
  if (handle.includes('n')) top = clamp(top + dy, 0, Math.max(0, bottom - CROP_MIN));
  if (handle.includes('s')) bottom = clamp(bottom + dy, top + CROP_MIN, source.height);
  return { x: left, y: top, width: right - left, height: bottom - top };
}

function withAspect(free: Crop, from: Crop, handle: Handle, aspect: number, source: Size): Crop {
  const vertical = handle === 'n' || handle === 's';
  const corner = handle.length === 2;
  const wanted = corner ? Math.max(free.width, free.height * aspect) : free.width;
  const width = Math.min(
    vertical ? free.height * aspect : wanted,
    room(from, handle, source, aspect),
  );
  const height = width / aspect;
  const right = from.x + from.width;
  const bottom = from.y + from.height;
  return {
    x: handle.includes('w')
      ? right - width
      : corner || !vertical
        ? from.x
        : middle(from.x, from.width, width, source.width),
    y: handle.includes('n')
      ? bottom - height
      : corner || vertical
        ? from.y
        : middle(from.y, from.height, height, source.height),
    width,
    height,
  };
}

/** The widest that a crop of this shape can get when the edges opposite to the handle stay. */
function room(from: Crop, handle: Handle, source: Size, aspect: number): number {
  let width = source.width;
  let height = source.height;
  if (handle.includes('w')) width = from.x + from.width;
  if (handle.includes('e')) width = source.width - from.x;
  if (handle.includes('n')) height = from.y + from.height;
  if (handle.includes('s')) height = source.height - from.y;
  return Math.min(width, height * aspect);
}

/** Keeps the middle of a side where it was, as far as the source reaches. */
function middle(start: number, length: number, newLength: number, limit: number): number {
  return clamp(start + (length - newLength) / 2, 0, Math.max(0, limit - newLength));
}

function grownToMinimum(crop: Crop, aspect: number): Crop {
  if (crop.width >= CROP_MIN && crop.height >= CROP_MIN) return crop;
  const width = Math.max(CROP_MIN, CROP_MIN * aspect);
  return { ...crop, width, height: width / aspect };
}
