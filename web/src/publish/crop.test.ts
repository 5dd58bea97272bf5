import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CROP_MIN, fit, leftOf, meantCrop, planFor, snapCrop, wholeCrop } from './crop.ts';

const SOURCE = { width: 1_921, height: 1_079 };
const LIMIT = { long: 1_280, short: 720 };

describe('a crop', () => {
  it('is snapped to even numbers', () => {
    const crop = snapCrop({ x: 101, y: 33, width: 640.6, height: 361 }, SOURCE);
    expect(crop).toEqual({ x: 102, y: 34, width: 640, height: 362 });
  });

  it('is moved into the source before it is made smaller', () => {
    const crop = snapCrop({ x: 1_800, y: -40, width: 400, height: 200 }, SOURCE);
    expect(crop).toEqual({ x: 1_520, y: 0, width: 400, height: 200 });
  });

  it('is never smaller than what encoders take', () => {
    const crop = snapCrop({ x: 1_920, y: 1_078, width: 1, height: 3 }, SOURCE);
    expect(crop).toMatchObject({ width: CROP_MIN, height: CROP_MIN });
  });

  it('is even, large enough and inside, whatever was asked for', () => {
    const side = fc.integer({ min: CROP_MIN, max: 8_000 });
    const any = fc.double({ min: -20_000, max: 20_000, noNaN: true });
    fc.assert(
      fc.property(side, side, any, any, any, any, (sw, sh, x, y, width, height) => {
        const crop = snapCrop({ x, y, width, height }, { width: sw, height: sh });
        for (const value of Object.values(crop)) expect(value % 2).toBe(0);
        expect(crop.width).toBeGreaterThanOrEqual(CROP_MIN);
        expect(crop.height).toBeGreaterThanOrEqual(CROP_MIN);
        expect(crop.x).toBeGreaterThanOrEqual(0);
        expect(crop.y).toBeGreaterThanOrEqual(0);
        expect(crop.x + crop.width).toBeLessThanOrEqual(sw);
        expect(crop.y + crop.height).toBeLessThanOrEqual(sh);
      }),
      { seed: 1 },
    );
  });
});

describe('a crop of a source that has changed its size', () => {
  const crop = { x: 600, y: 300, width: 400, height: 200 };

  it('is all of it while there is room', () => {
    expect(leftOf(crop, { width: 1_000, height: 500 })).toEqual(crop);
    expect(leftOf(crop, { width: 3_000, height: 3_000 })).toEqual(crop);
  });

  it('stays where it is, and loses what the source has lost', () => {
    expect(leftOf(crop, { width: 801, height: 500 })).toEqual({ ...crop, width: 200 });
    expect(leftOf(crop, { width: 1_000, height: 303 })).toEqual({ ...crop, height: 2 });
  });

  it('is nothing once all of it was cut away', () => {
    expect(leftOf(crop, { width: 601, height: 500 })).toBeNull();
    expect(leftOf(crop, { width: 300, height: 200 })).toBeNull();
  });

  it('never shows a pixel that it did not show before', () => {
    const side = fc.integer({ min: 1, max: 3_000 });
    fc.assert(
      fc.property(side, side, (width, height) => {
        const left = leftOf(crop, { width, height });
        if (left === null) return;
        expect(left).toMatchObject({ x: crop.x, y: crop.y });
        expect(left.width).toBeLessThanOrEqual(Math.min(crop.width, width - crop.x));
        expect(left.height).toBeLessThanOrEqual(Math.min(crop.height, height - crop.y));
      }),
      { seed: 3 },
    );
  });

  it('is even and can be encoded, whoever said what it is', () => {
    expect(meantCrop({ x: 3, y: 5, width: 3, height: 65_000 })).toEqual({
      x: 4,
      y: 6,
      width: CROP_MIN,
      height: 8_192,
    });
    expect(meantCrop(crop)).toEqual(crop);
  });
});

describe('the size that is sent', () => {
  it('is the crop itself while it fits', () => {
    const crop = { x: 0, y: 0, width: 1_000, height: 600 };
    expect(planFor(crop, LIMIT)).toEqual({
      rect: crop,
      output: { width: 1_000, height: 600 },
    });
  });

  it('keeps the shape when scaled down', () => {
    expect(fit({ width: 2_560, height: 1_440 }, LIMIT)).toEqual({ width: 1_280, height: 720 });
    expect(fit({ width: 3_440, height: 1_440 }, LIMIT)).toEqual({ width: 1_280, height: 536 });
  });

  it('allows the same number of pixels for upright pictures', () => {
    expect(fit({ width: 1_080, height: 1_920 }, LIMIT)).toEqual({ width: 720, height: 1_280 });
  });

  it('is the whole source less odd edges without a crop', () => {
    expect(wholeCrop(SOURCE)).toEqual({ x: 0, y: 0, width: 1_920, height: 1_078 });
  });
});
