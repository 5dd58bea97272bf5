import fc from 'fast-check';
import { expect, it } from 'vitest';
import { captureUs, SOUND } from './rtp-time.ts';

/** As the relay computes it, with integers of any size. */
const timestamp = (us: number) => Number(((BigInt(us) * 9n) / 100n) % 2n ** 32n);
const soundTimestamp = (us: number) => Number(((BigInt(us) * 6n) / 125n) % 2n ** 32n);

it('finds the capture time again, whatever the time of day', () => {
  const instant = fc.integer({ min: 1_600_000_000_000_000, max: 3_000_000_000_000_000 });
  const age = fc.integer({ min: -60_000_000, max: 6 * 3_600_000_000 });
  fc.assert(
    fc.property(instant, age, (capturedUs, ageUs) => {
      const found = captureUs(timestamp(capturedUs), capturedUs + ageUs);
      // A tick is 11 us, and both sides round.
      expect(Math.abs(found - capturedUs)).toBeLessThan(25);
      const heard = captureUs(soundTimestamp(capturedUs), capturedUs + ageUs, SOUND);
      expect(Math.abs(heard - capturedUs)).toBeLessThan(45);
    }),
  );
});

it('crosses the wrap', () => {
  const wrapUs = Math.ceil((2 ** 32 * 40_000 * 100) / 9);
  expect(captureUs(2 ** 32 - 900, wrapUs)).toBeCloseTo(wrapUs - 10_000, -2);
  expect(captureUs(900, wrapUs)).toBeCloseTo(wrapUs + 10_000, -2);
});
