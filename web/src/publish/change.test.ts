import { describe, expect, it } from 'vitest';
import { bandsDiffer } from './change.ts';

const STRIDE = 64;
const ROWS = 32;
const WORDS = (STRIDE * ROWS) / 4;

describe('comparing pictures', () => {
  it('finds a single changed pixel when it compares all', () => {
    const changed = new Uint32Array(WORDS);
    changed[WORDS - 1] = 1;
    expect(bandsDiffer(new Uint32Array(WORDS), new Uint32Array(WORDS), STRIDE, null)).toBe(false);
    expect(bandsDiffer(new Uint32Array(WORDS), changed, STRIDE, null)).toBe(true);
  });

  it('finds every changed row within four turns, and in only one of them', () => {
    for (let row = 0; row < ROWS; row += 1) {
      const changed = new Uint32Array(WORDS);
      changed[(row * STRIDE) / 4 + 3] = 1;
      const turns = [0, 1, 2, 3].filter((turn) =>
        bandsDiffer(new Uint32Array(WORDS), changed, STRIDE, turn),
      );
      expect(turns).toEqual([row % 4]);
    }
  });

  it('finds anything four rows high in every turn', () => {
    const changed = new Uint32Array(WORDS);
    for (let row = 9; row < 13; row += 1) changed[(row * STRIDE) / 4] = 1;
    for (const turn of [0, 1, 2, 3]) {
      expect(bandsDiffer(new Uint32Array(WORDS), changed, STRIDE, turn)).toBe(true);
    }
  });

  it('takes another size for a change', () => {
    expect(bandsDiffer(new Uint32Array(4), new Uint32Array(5), STRIDE, null)).toBe(true);
  });
});
