import { describe, expect, it } from 'vitest';
import { CaptureClock, RelayStamps } from './capture-clock.ts';

const BASE = 1_700_000_000_000_000;

describe('the capture clock', () => {
  it('takes the least delay ever seen as the base', () => {
    const clock = new CaptureClock();
    clock.localUs(0, BASE + 9_000);
    clock.localUs(33_000, BASE + 33_000 + 2_000);
    expect(clock.localUs(66_000, BASE + 66_000 + 7_000)).toBeCloseTo(BASE + 66_000 + 2_000, -2);
  });

  it('never says that a frame came before it was captured', () => {
    const clock = new CaptureClock();
    for (let frame = 0; frame < 1_000; frame += 1) {
      const arrivedUs = BASE + frame * 33_333 + ((frame * 7_919) % 20_000);
      expect(clock.localUs(frame * 33_333, arrivedUs)).toBeLessThanOrEqual(arrivedUs);
    }
  });

  it('follows a source whose clock is slow', () => {
    const clock = new CaptureClock();
    let last = 0;
    for (let second = 0; second < 600; second += 1) {
      const arrivedUs = BASE + second * 1_000_000;
      last = arrivedUs - clock.localUs(second * 1_000_000 * (1 - 100e-6), arrivedUs);
    }
    expect(last).toBeLessThan(2_000);
  });

  it('begins anew when timestamps jump back', () => {
    const clock = new CaptureClock();
    clock.localUs(5_000_000, BASE);
    expect(clock.localUs(0, BASE + 33_000)).toBe(BASE + 33_000);
  });
});

describe('relay stamps', () => {
  it('approach a better offset slowly', () => {
    const stamps = new RelayStamps(1_000);
    expect(stamps.stamp(BASE, 1_000)).toBe(BASE + 1_000);
    expect(stamps.stamp(BASE + 1_000_000, 51_000)).toBe(BASE + 1_000_000 + 11_000);
    expect(stamps.stamp(BASE + 9_000_000, 51_000)).toBe(BASE + 9_000_000 + 51_000);
  });

  it('rise by a tick of RTP at least, even when the offset or the time falls', () => {
    const stamps = new RelayStamps(500_000);
    let last = 0;
    for (let frame = 0; frame < 300; frame += 1) {
      const stamp = stamps.stamp(BASE + frame * 100, frame % 2 === 0 ? -500_000 : 500_000);
      expect(stamp).toBeGreaterThanOrEqual(last + 12);
      last = stamp;
    }
  });
});
