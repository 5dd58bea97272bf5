import { expect, it } from 'vitest';
import {
  closer,
  type Frame,
  isLarger,
  moved,
  placement,
  shownSize,
  type View,
  WHOLE,
  within,
  zoomed,
} from './view.ts';

/** A picture as wide as its window and lower: bars above and below. */
const WIDE: Frame = {
  window: { width: 1_000, height: 1_000 },
  picture: { width: 2_000, height: 1_000 },
  fill: false,
};
const FILLED: Frame = { ...WIDE, fill: true };

/** Which part of the picture is at this point of the window. */
function at(view: View, frame: Frame, x: number, y: number): [number, number] {
  const { width, height } = shownSize(view, frame);
  return [view.x + x / width, view.y + y / height];
}

it('shows all of the picture, which cannot be moved then', () => {
  expect(placement(WHOLE, WIDE, 1)).toEqual({ x: 0, y: 250, width: 1_000, height: 500 });
  expect(isLarger(WHOLE, WIDE)).toBe(false);
  expect(moved(WHOLE, WIDE, { x: 300, y: -200 })).toEqual(WHOLE);
});

it('fills the window without cutting anything off for good', () => {
  expect(shownSize(WHOLE, FILLED)).toEqual({ width: 2_000, height: 1_000 });
  expect(isLarger(WHOLE, FILLED)).toBe(true);
  const left = moved(WHOLE, FILLED, { x: 9_999, y: 50 });
  expect(at(left, FILLED, -500, -500)).toEqual([0, 0]);
  const right = moved(WHOLE, FILLED, { x: -9_999, y: 0 });
  expect(at(right, FILLED, 500, 500)).toEqual([1, 1]);
  expect(placement(right, FILLED, 1)).toEqual({ x: -1_000, y: 0, width: 2_000, height: 1_000 });
});

it('keeps what is under the pointer there', () => {
  const point = { x: 200, y: -100 };
  const before = at(WHOLE, WIDE, point.x, point.y);
  const view = zoomed(WHOLE, WIDE, 3, point);
  const after = at(view, WIDE, point.x, point.y);
  expect(view.zoom).toBe(3);
  expect(after[0]).toBeCloseTo(before[0]);
  expect(after[1]).toBeCloseTo(before[1]);
});

it('leaves no room empty that the picture could fill, and is bounded both ways', () => {
  const corner = zoomed(WHOLE, WIDE, 4, { x: 9_999, y: 9_999 });
  expect(at(corner, WIDE, 500, 500)).toEqual([1, 1]);
  expect(zoomed(corner, WIDE, 0.1, { x: 0, y: 0 })).toEqual(WHOLE);
  expect(within({ ...WHOLE, zoom: 100 }, WIDE).zoom).toBe(8);
  const huge = { ...WIDE, picture: { width: 20_000, height: 10_000 } };
  expect(within({ ...WHOLE, zoom: 1_000 }, huge).zoom).toBe(80);
});

it('comes close at a double tap, to the pixel where that is closer, and goes back at the next', () => {
  expect(closer(WHOLE, WIDE, { x: 0, y: 0 }, 1).zoom).toBe(2);
  const large = { ...WIDE, picture: { width: 4_000, height: 2_000 } };
  const near = closer(WHOLE, large, { x: 0, y: 0 }, 1);
  expect(near.zoom).toBe(4);
  expect(closer(near, large, { x: 50, y: 0 }, 1)).toEqual(WHOLE);
});

it('lies on whole pixels of the screen', () => {
  const view = { zoom: 2, x: 0.3334, y: 0.5 };
  expect(placement(view, WIDE, 1).x).toBe(-167);
  expect(placement(view, WIDE, 2).x).toBe(-167);
  expect(placement({ ...view, x: 0.3333 }, WIDE, 2).x).toBe(-166.5);
  expect(placement({ ...view, zoom: 1.2344 }, WIDE, 1)).toMatchObject({
    width: 1_234,
    height: 617,
  });
});

it('looks at the same part when the picture has another size, or the window', () => {
  const view = zoomed(WHOLE, WIDE, 4, { x: 100, y: 100 });
  const sharper = { ...WIDE, picture: { width: 4_000, height: 2_000 } };
  expect(within(view, sharper)).toEqual(view);
  const smaller = { ...WIDE, window: { width: 500, height: 500 } };
  expect(within(view, smaller)).toEqual(view);
});
