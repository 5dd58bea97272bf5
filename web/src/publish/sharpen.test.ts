import { describe, expect, it } from 'vitest';
import { Sharpener } from './sharpen.ts';

/** The times at which a picture at rest is encoded again, until `untilMs`. */
function refinements(sharpener: Sharpener, untilMs: number): number[] {
  const times: number[] = [];
  for (let dueMs = sharpener.dueMs; dueMs !== null && dueMs <= untilMs; dueMs = sharpener.dueMs) {
    expect(sharpener.isDue(dueMs)).toBe(true);
    times.push(dueMs);
    sharpener.refined(dueMs);
  }
  return times;
}

describe('a picture at rest', () => {
  it('does nothing before there is a picture', () => {
    const sharpener = new Sharpener();
    expect(sharpener.dueMs).toBeNull();
    expect(sharpener.isDue(99_999)).toBe(false);
    expect(sharpener.motion(99_999)).toBe('still');
  });

  it('is encoded again after 300 ms, a few dozen times, slower and slower', () => {
    const sharpener = new Sharpener();
    sharpener.changed(1_000);
    expect([1_299, 1_300].map((ms) => sharpener.hasComeToRest(ms))).toEqual([false, true]);
    const times = refinements(sharpener, 14_000);
    expect(sharpener.hasComeToRest(60_000)).toBe(false);
    expect(times[0]).toBe(1_300);
    expect(times.length).toBeGreaterThan(24);
    expect(times.length).toBeLessThan(48);
    const pauses = times.slice(1).map((time, at) => time - (times[at] ?? 0));
    expect(pauses).toEqual(pauses.toSorted((one, other) => one - other));
  });

  it('costs a rare heartbeat afterwards', () => {
    const sharpener = new Sharpener();
    sharpener.changed(0);
    refinements(sharpener, 14_000);
    expect(sharpener.motion(14_000)).toBe('still');
    expect(refinements(sharpener, 74_000).length).toBeLessThanOrEqual(6);
  });

  it('starts anew with every change', () => {
    const sharpener = new Sharpener();
    sharpener.changed(0);
    refinements(sharpener, 5_000);
    expect(sharpener.motion(5_000)).toBe('sharpening');
    sharpener.changed(5_000);
    expect(sharpener.motion(5_100)).toBe('moving');
    expect(sharpener.dueMs).toBe(5_300);
  });
});
