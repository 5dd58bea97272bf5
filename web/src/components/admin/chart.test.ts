import { describe, expect, it } from 'vitest';
import { areaUnder, type Frame, lineThrough, roundTop, runs, within } from './chart.ts';

const FRAME: Frame = { nowMs: 100_000, spanMs: 60_000, top: 200, width: 120, height: 50 };
const at = (atMs: number, value = 100) => ({ atMs, value });

describe('a line', () => {
  it('goes from left to right as time does, and up as values do', () => {
    const run = [at(40_000, 0), at(70_000, 100), at(100_000, 200)];
    expect(lineThrough(run, FRAME)).toBe('0.0,50.0 60.0,25.0 120.0,0.0');
    expect(areaUnder(run, FRAME)).toBe('0.0,50.0 0.0,50.0 60.0,25.0 120.0,0.0 120.0,50.0');
  });

  it('never leaves its frame', () => {
    expect(lineThrough([at(100_000, 900)], FRAME)).toBe('120.0,0.0');
    expect(within([at(39_999), at(40_000), at(100_001)], FRAME)).toEqual([at(40_000)]);
    expect(areaUnder([], FRAME)).toBe('');
  });

  it('is broken where nothing is known', () => {
    const points = [at(1_000), at(2_000), at(7_000), at(30_000), at(31_000)];
    expect(runs(points)).toEqual([points.slice(0, 3), points.slice(3)]);
    expect(runs([])).toEqual([]);
  });
});

it('rounds an axis up, and not below the least', () => {
  const tops = [0, 99, 100, 101, 250, 720, 1_001].map((value) => roundTop(value, 100));
  expect(tops).toEqual([100, 100, 100, 200, 300, 800, 2_000]);
});
