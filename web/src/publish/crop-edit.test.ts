import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  drawCrop,
  HANDLES,
  isMeant,
  moveCrop,
  reshapeCrop,
  resizeCrop,
  typeCrop,
} from './crop-edit.ts';

const SOURCE = { width: 1_920, height: 1_080 };
const CROP = { x: 400, y: 200, width: 800, height: 450 };

describe('moving a crop', () => {
  it('stops at the edges and keeps the size', () => {
    expect(moveCrop(CROP, 5_000, -5_000, SOURCE)).toEqual({ ...CROP, x: 1_120, y: 0 });
  });
});

describe('dragging a handle', () => {
  it('moves only its own edges', () => {
    expect(resizeCrop(CROP, 'e', { dx: 100, dy: 70 }, SOURCE, null)).toEqual({
      ...CROP,
      width: 900,
    });
    expect(resizeCrop(CROP, 'nw', { dx: 50, dy: 20 }, SOURCE, null)).toEqual({
      x: 450,
      y: 220,
      width: 750,
      height: 430,
    });
  });

  it('never turns the crop inside out', () => {
    const crop = resizeCrop(CROP, 'w', { dx: 5_000, dy: 0 }, SOURCE, null);
    expect(crop).toEqual({ x: 1_184, y: 200, width: 16, height: 450 });
  });

  it('keeps a locked shape, with the opposite corner at rest', () => {
    const crop = resizeCrop(CROP, 'nw', { dx: -160, dy: 0 }, SOURCE, 16 / 9);
    expect(crop).toEqual({ x: 240, y: 110, width: 960, height: 540 });
  });

  it('grows around the middle when an edge is dragged with a locked shape', () => {
    const crop = resizeCrop(CROP, 'e', { dx: 160, dy: 0 }, SOURCE, 16 / 9);
    expect(crop).toEqual({ x: 400, y: 156, width: 960, height: 540 });
  });

  it('keeps a locked shape at the edges of the source', () => {
    const crop = resizeCrop(CROP, 'se', { dx: 9_000, dy: 9_000 }, SOURCE, 1);
    expect(crop).toEqual({ x: 400, y: 200, width: 880, height: 880 });
  });

  it('keeps the shape as far as even numbers can, wherever it is dragged to', () => {
    const move = fc.integer({ min: -3_000, max: 3_000 });
    const aspect = fc.constantFrom(16 / 9, 4 / 3, 1);
    fc.assert(
      fc.property(fc.constantFrom(...HANDLES), move, move, aspect, (handle, dx, dy, ratio) => {
        const { width, height, x, y } = resizeCrop(CROP, handle, { dx, dy }, SOURCE, ratio);
        expect(x + width).toBeLessThanOrEqual(SOURCE.width);
        expect(y + height).toBeLessThanOrEqual(SOURCE.height);
        if (height > 16 && width > 16)
          expect(Math.abs(width - height * ratio)).toBeLessThanOrEqual(4);
      }),
      { seed: 2 },
    );
  });
});

describe('drawing a new crop', () => {
  it('goes in every direction', () => {
    expect(drawCrop({ x: 500, y: 500 }, { x: 100, y: 300 }, SOURCE, null)).toEqual({
      x: 100,
      y: 300,
      width: 400,
      height: 200,
    });
  });

  it('keeps a locked shape', () => {
    const crop = drawCrop({ x: 100, y: 100 }, { x: 500, y: 120 }, SOURCE, 1);
    expect(crop).toEqual({ x: 100, y: 100, width: 400, height: 400 });
  });
});

describe('a drawn crop', () => {
  it('is meant from 64 pixels on, either way', () => {
    const drawn = { x: 100, y: 100, width: 64, height: 64 };
    expect(isMeant(drawn, SOURCE)).toBe(true);
    expect(isMeant({ ...drawn, width: 62 }, SOURCE)).toBe(false);
    expect(isMeant({ ...drawn, height: 62 }, SOURCE)).toBe(false);
  });

  it('is meant where the source has no more', () => {
    const strip = { width: 800, height: 33 };
    expect(isMeant({ x: 0, y: 0, width: 400, height: 32 }, strip)).toBe(true);
  });
});

describe('choosing a shape', () => {
  it('cuts the crop around its middle', () => {
    expect(reshapeCrop(CROP, 1, SOURCE)).toEqual({ x: 576, y: 200, width: 450, height: 450 });
  });
});

describe('typing a number', () => {
  const whole = { x: 0, y: 0, ...SOURCE };

  it('moves an edge of the whole picture, which becomes smaller', () => {
    expect(typeCrop(whole, 'x', 100, SOURCE, null)).toEqual({ ...whole, x: 100, width: 1_820 });
    expect(typeCrop(whole, 'y', 80, SOURCE, null)).toEqual({ ...whole, y: 80, height: 1_000 });
  });

  it('moves a crop that has room, and keeps its size', () => {
    expect(typeCrop(CROP, 'x', 1_000, SOURCE, null)).toEqual({ ...CROP, x: 1_000 });
  });

  it('ends a size at the edge of the source, and moves nothing for it', () => {
    expect(typeCrop(CROP, 'width', 5_000, SOURCE, null)).toEqual({ ...CROP, width: 1_520 });
    expect(typeCrop(CROP, 'height', 5_000, SOURCE, null)).toEqual({ ...CROP, height: 880 });
  });

  it('has the other side follow in a locked shape, from the same corner', () => {
    const wide = { x: 400, y: 200, width: 1_600, height: 900 };
    const source = { width: 2_000, height: 1_100 };
    expect(typeCrop(CROP, 'width', 480, SOURCE, 16 / 9)).toEqual({
      ...CROP,
      width: 480,
      height: 270,
    });
    expect(typeCrop(wide, 'x', 1_200, source, 16 / 9)).toEqual({
      x: 1_200,
      y: 200,
      width: 800,
      height: 450,
    });
    expect(typeCrop(CROP, 'width', 9_000, { width: 9_000, height: 1_080 }, 1)).toEqual({
      ...CROP,
      width: 880,
      height: 880,
    });
    expect(typeCrop(CROP, 'y', 300, SOURCE, 16 / 9)).toEqual({ ...CROP, y: 300 });
  });

  it('takes what is far beyond for the nearest that there is', () => {
    expect(typeCrop(CROP, 'x', -50, SOURCE, null)).toEqual({ ...CROP, x: 0 });
    expect(typeCrop(CROP, 'x', 1e9, SOURCE, null)).toEqual({ ...CROP, x: 1_904, width: 16 });
    expect(typeCrop(CROP, 'width', 0, SOURCE, null)).toEqual({ ...CROP, width: 16 });
  });
});
