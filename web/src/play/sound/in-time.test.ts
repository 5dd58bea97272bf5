import { expect, it } from 'vitest';
import { InTime, leastBehind } from './in-time.ts';
import { samplesOf } from './samples.ts';

const captured = (sample: number) => 5_000_000 + sample / 0.048;
const standing = (frame: number, behind: number | null) => ({ frame, behind, spare: 0 });

it('knows how long after its capture sound is heard', () => {
  const time = new InTime();
  expect(time.delayUs(standing(48_000, 4_800), captured, 0)).toBeNull();
  // The browser's first sample is heard at 5.03 s of the page's clock.
  time.look({ frame: 48_000, localUs: 6_030_000 });
  // What was captured 100 ms before is heard 30 ms later than it would be by itself.
  expect(time.delayUs(standing(48_000, 4_800), captured, 0)).toBeCloseTo(130_000);
  expect(time.delayUs(standing(96_000, 4_800), captured, 0)).toBeCloseTo(130_000);
  // The relay's clock is half a second ahead of the page's.
  expect(time.delayUs(standing(96_000, 4_800), captured, 500_000)).toBeCloseTo(630_000);
  expect(time.delayUs(standing(96_000, null), captured, 0)).toBeNull();
});

it('takes one look at a clock for inexact, and a jump for what it is', () => {
  const time = new InTime();
  const delay = () => time.delayUs(standing(0, 0), () => 0, 0);
  time.look({ frame: 0, localUs: 100_000 });
  time.look({ frame: 0, localUs: 103_000 });
  expect(delay()).toBeCloseTo(100_300);
  time.look({ frame: 0, localUs: 200_000 });
  expect(delay()).toBeCloseTo(200_000);
});

it('has sound wait for a picture that is later, but not for one that is far behind', () => {
  expect(leastBehind(1_000, 60_000, 80_000)).toBeCloseTo(1_000 + samplesOf(20));
  expect(leastBehind(1_000, 60_000, 40_000)).toBeCloseTo(1_000 - samplesOf(20));
  expect(leastBehind(1_000, 60_000, null)).toBeNull();
  expect(leastBehind(1_000, 60_000, 900_000)).toBeNull();
});
