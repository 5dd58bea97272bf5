import { expect, it } from 'vitest';
import { Window } from './window.ts';

it('knows percentiles of the newest values', () => {
  const window = new Window(100);
  expect([window.percentile(0.5), window.least]).toEqual([null, null]);
  for (let value = 1; value <= 200; value += 1) window.add(value);
  expect([0, 0.5, 0.95, 1].map((share) => window.percentile(share))).toEqual([101, 150, 195, 200]);
  expect(window.least).toBe(101);
});
