import type { Carried } from '@steadycast/codec-glue';
import { expect, it } from 'vitest';
import { FrameLine } from './frame-line.ts';

const frame = (number: number, keyframe = false, bytes = 1): Carried => ({
  keyframe,
  number,
  frame: new Uint8Array(bytes),
});
const key = (number: number) => frame(number, true);

/** The numbers that go on when these come, ten milliseconds apart. */
function through(line: FrameLine, frames: Carried[], fromMs = 0): number[] {
  return frames.flatMap((one, at) => line.push(one, fromMs + 10 * at).map(({ number }) => number));
}

it('passes frames on as they come, from the first keyframe on', () => {
  const line = new FrameLine();
  expect(through(line, [frame(1), key(2), frame(3), frame(4)])).toEqual([2, 3, 4]);
  expect(line.dueMs).toBeNull();
});

it('has a frame that was repaired late back at its place', () => {
  const line = new FrameLine();
  expect(through(line, [key(1), frame(3), frame(4)])).toEqual([1]);
  expect(line.dueMs).not.toBeNull();
  expect(line.push(frame(2), 50).map(({ number }) => number)).toEqual([2, 3, 4]);
  expect(line.dueMs).toBeNull();
  expect(line.lost(10_000)).toBe(false);
});

it('lets a keyframe wait for nobody, and what comes after it of before is nothing', () => {
  const line = new FrameLine();
  expect(through(line, [key(1), frame(3), key(5), frame(2), frame(4), frame(6)])).toEqual([
    1, 5, 6,
  ]);
});

it('keeps what has overtaken its keyframe', () => {
  const line = new FrameLine();
  expect(through(line, [key(1), frame(4), key(3)])).toEqual([1, 3, 4]);
});

it('gives a group up when a frame of it has been missing for a second, and only then', () => {
  const line = new FrameLine();
  through(line, [key(1), frame(3)]);
  expect(line.lost(1_009)).toBe(false);
  expect(line.lost(1_010)).toBe(true);
  expect(line.dueMs).toBeNull();
  expect(through(line, [frame(4), frame(2), key(9), frame(10)], 2_000)).toEqual([9, 10]);
});

it('waits anew for each frame that is missing', () => {
  const line = new FrameLine();
  through(line, [key(1), frame(3), frame(5)]);
  line.push(frame(2), 900);
  expect(line.lost(1_500)).toBe(false);
  expect(line.lost(1_900)).toBe(true);
});

it('counts on behind the last number', () => {
  const line = new FrameLine();
  expect(through(line, [key(32_766), frame(0), frame(32_767), frame(1)])).toEqual([
    32_766, 32_767, 0, 1,
  ]);
});

it('takes nothing twice', () => {
  const line = new FrameLine();
  expect(through(line, [key(1), key(1), frame(3), frame(3), frame(2)])).toEqual([1, 2, 3]);
});

it('keeps no more than it may', () => {
  const line = new FrameLine();
  line.push(key(1), 0);
  for (let number = 3; number < 303; number += 1) line.push(frame(number), 0);
  expect(line.lost(0)).toBe(false);
  line.push(frame(303), 0);
  expect(line.lost(0)).toBe(true);
  line.push(key(400), 0);
  line.push(frame(402, false, 17 * 1024 * 1024), 0);
  expect(line.lost(0)).toBe(true);
});
