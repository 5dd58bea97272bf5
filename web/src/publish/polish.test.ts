import { expect, it } from 'vitest';
import { Polish } from './polish.ts';

/** How long a rest lasts until the picture is made sharp; null: longer than `ms`. */
function sharpAfter(polish: Polish, fromMs: number, ms: number): number | null {
  for (let atMs = fromMs; atMs <= fromMs + ms; atMs += 100) {
    if (polish.isDue(atMs)) return atMs - fromMs;
  }
  return null;
}

it('makes a picture at rest sharp once', () => {
  const polish = new Polish();
  expect(sharpAfter(polish, 0, 10_000)).toBe(2_500);
  expect(sharpAfter(polish, 10_000, 60_000)).toBeNull();
  polish.moved(false);
  expect(sharpAfter(polish, 80_000, 10_000)).toBe(2_500);
});

it('waits longer where the picture moved on while the sharp one was on its way', () => {
  const polish = new Polish();
  const waits = [0, 1, 2, 3, 4, 5].map((round) => {
    const waited = sharpAfter(polish, round * 100_000, 90_000);
    polish.moved(true);
    return waited;
  });
  expect(waits).toEqual([2_500, 5_000, 10_000, 20_000, 40_000, 40_000]);
  sharpAfter(polish, 700_000, 90_000);
  polish.moved(false);
  expect(sharpAfter(polish, 800_000, 90_000)).toBe(20_000);
});

it('counts a rest from the last change', () => {
  const polish = new Polish();
  sharpAfter(polish, 0, 2_000);
  polish.moved(false);
  expect(sharpAfter(polish, 2_100, 10_000)).toBe(2_500);
});
