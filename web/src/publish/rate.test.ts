import { describe, expect, it } from 'vitest';
import { FrameRateLimiter } from './rate.ts';

/** Frames of a source with this rate and jitter, and which of them a limit lets through. */
function taken(sourceRate: number, limit: number, jitterUs = 0): number[] {
  const limiter = new FrameRateLimiter(limit);
  const times: number[] = [];
  for (let frame = 0; frame < sourceRate * 10; frame += 1) {
    const wobble = jitterUs * Math.sin(frame * 2.3);
    const timeUs = 1_000_000 + (frame * 1_000_000) / sourceRate + wobble;
    if (!limiter.admits(timeUs)) continue;
    limiter.take(timeUs);
    times.push(timeUs);
  }
  return times;
}

describe('the frame rate limit', () => {
  it('takes every frame of a source at the limit, jitter or not', () => {
    expect(taken(30, 30)).toHaveLength(300);
    expect(taken(30, 30, 8_000).length).toBeGreaterThan(295);
  });

  it('takes every second frame at half the rate', () => {
    const times = taken(60, 30);
    expect(times.length).toBeGreaterThanOrEqual(299);
    expect(times.length).toBeLessThanOrEqual(302);
  });

  it('keeps the average where rates do not divide', () => {
    expect(taken(30, 24).length / 10).toBeGreaterThan(23);
    expect(taken(30, 24).length / 10).toBeLessThan(26);
    expect(taken(60, 10).length / 10).toBeLessThan(11);
  });

  it('does not make up for a pause', () => {
    const limiter = new FrameRateLimiter(10);
    limiter.take(1_000_000);
    limiter.take(9_000_000);
    expect(limiter.admits(9_020_000)).toBe(false);
    expect(limiter.admits(9_100_000)).toBe(true);
  });

  it('lets a last frame that came early in after its time', () => {
    const limiter = new FrameRateLimiter(10);
    limiter.take(1_000_000);
    expect(limiter.admits(1_030_000)).toBe(false);
    expect(limiter.overdueUs).toBe(1_125_000);
  });

  it('finds the phase of a source that is always a little early', () => {
    const limiter = new FrameRateLimiter(10);
    limiter.take(1_000_000);
    // Taken late, as the last frame of a burst; its followers come in step with it.
    limiter.take(1_050_000);
    expect(limiter.admits(1_150_000)).toBe(true);
  });
});
