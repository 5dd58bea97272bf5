import { expect, it } from 'vitest';
import { Window } from './window.ts';

it('knows percentiles of the newest values', () => {
  const window = new Window(100);
  expect([window.percentile(0.5), window.least]).toEqual([null, null]);
  for (let value = 1; value <= 200; value += 1) window.add(value);
  expect([0, 0.5, 0.95, 1].map((share) => window.percentile(share))).toEqual([101, 150, 195, 200]);
  expect(window.least).toBe(101);
});

it('knows the same as sorting would tell, in whatever order values come', () => {
  const window = new Window(50);
  const newest: number[] = [];
  for (let turn = 0; turn < 500; turn += 1) {
    const value = (turn * 7_919) % 83;
    window.add(value);
    newest.push(value);
    if (newest.length > 50) newest.shift();
    const sorted = newest.toSorted((one, other) => one - other);
    expect(window.percentile(0.5)).toBe(sorted[Math.ceil(sorted.length / 2) - 1]);
    expect([window.least, window.percentile(1)]).toEqual([sorted[0], sorted.at(-1)]);
  }
});
