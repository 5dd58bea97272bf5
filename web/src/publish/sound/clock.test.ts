import { describe, expect, it } from 'vitest';
import { SoundClock } from './clock.ts';

/** When this context began, on its own clock. */
const ORIGIN = 1_700_000_000_000_000;
const CHUNK = 10_000;

describe('capture times of sound', () => {
  it('are the stamps where those are by the clock of this context', () => {
    const clock = new SoundClock(ORIGIN);
    const at = (us: number, lateUs: number) => clock.localUs(us, CHUNK, ORIGIN + us + lateUs);
    // However late they come.
    const late = [20_000, 250_000, 21_000, 0, -2_000];
    expect(late.map((lateUs, index) => at(500_000 + index * CHUNK, lateUs))).toEqual(
      late.map((_, index) => ORIGIN + 500_000 + index * CHUNK),
    );
  });

  it('are not known of what was made for another context, before it came here', () => {
    const clock = new SoundClock(ORIGIN);
    // The document began 200 ms earlier, so that its stamps are of what is yet to come.
    expect(clock.localUs(450_000, CHUNK, ORIGIN + 280_000)).toBeNull();
    expect(clock.localUs(460_000, CHUNK, ORIGIN + 281_000)).toBeNull();
    expect(clock.localUs(270_000, CHUNK, ORIGIN + 291_000)).toBe(ORIGIN + 270_000);
  });

  it('follow from arrivals where stamps are of another clock for good', () => {
    const clock = new SoundClock(ORIGIN);
    const base = 7_000_000_000;
    const jitter = [3_000, 0, 8_000, 1_000];
    const times = Array.from({ length: 400 }, (_, index) => {
      const lateUs = jitter[index % 4] ?? 0;
      return clock.localUs(base + index * CHUNK, CHUNK, ORIGIN + (index + 1) * CHUNK + lateUs);
    });
    expect(times[10]).toBeNull();
    // No later than when their first sample can have been there, and no earlier than that by much.
    for (const [index, time] of times.entries()) {
      if (index < 100) continue;
      expect(Math.abs((time ?? 0) - (ORIGIN + index * CHUNK))).toBeLessThan(1_000);
    }
  });

  it('begin anew where the stamps do', () => {
    const clock = new SoundClock(ORIGIN);
    const given = (stampUs: number, index: number) =>
      clock.localUs(stampUs, CHUNK, ORIGIN + (index + 1) * CHUNK);
    for (let index = 0; index < 200; index += 1) given(9e9 + index * CHUNK, index);
    expect(given(8e9, 200)).toBe(ORIGIN + 200 * CHUNK);
    expect(given(8e9 + CHUNK, 201)).toBe(ORIGIN + 201 * CHUNK);
  });
});
