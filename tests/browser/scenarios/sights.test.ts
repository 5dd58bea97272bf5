import assert from 'node:assert/strict';
import { test } from 'node:test';
import { figuresOf } from '../bench/sights.ts';

test('a still counts from the last new picture to the next, beyond 100 ms as frozen', () => {
  const at = [1_000, 1_033, 1_066, 1_566, 1_600].map((atMs) => ({ atMs, ageMs: atMs % 100 }));
  const figures = figuresOf([{ atMs: 900, ageMs: 999 }, ...at], 1_000, 1_650);
  assert.equal(figures.longestFreezeMs, 500);
  assert.equal(figures.freezes, 1);
  assert.equal(figures.frozenShare, 400 / 650);
  assert.equal(figures.ageMs.most, 66);
  assert.equal(Math.round(figures.shownPerSecond * 10) / 10, 7.7);
});

test('nothing new until the end is a still as well', () => {
  const figures = figuresOf([{ atMs: 1_000, ageMs: 40 }], 1_000, 3_000);
  assert.equal(figures.longestFreezeMs, 2_000);
});
