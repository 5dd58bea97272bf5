import { describe, expect, it } from 'vitest';
import { MedianMeter, RateMeter } from './meters.ts';

describe('meters', () => {
  it('count what happened within the window', () => {
    const meter = new RateMeter(2_000);
    for (let ms = 0; ms < 4_000; ms += 100) meter.add(ms, 3);
    expect(meter.rate(3_900)).toBe(30);
    expect(meter.rate(9_000)).toBe(0);
  });

  it('take the median of the newest values', () => {
    const meter = new MedianMeter(3);
    expect(meter.median).toBeNull();
    for (const value of [100, 1, 9, 5]) meter.add(value);
    expect(meter.median).toBe(5);
  });
});
