import { newLinkKey } from '@steadycast/codec-glue';
import { expect, it } from 'vitest';
import { isOldKey, keyOfLink, newerKey } from './link-keys.ts';

const NONE = { key: null, keyGeneration: null };
const of = (keyGeneration: number | null) => ({ key: newLinkKey(), keyGeneration });

it('is of the generation of the link that it came with', () => {
  const claims = { exp: 1, steadycast: { broadcast: 'b', roles: ['play'], generation: 3 } };
  const key = newLinkKey();
  expect(keyOfLink(key, `h.${btoa(JSON.stringify(claims))}.s`)).toEqual({ key, keyGeneration: 3 });
  expect(keyOfLink(key, 'of somebody else')).toEqual({ key, keyGeneration: null });
  expect(keyOfLink(null, 'without a key')).toEqual(NONE);
});

it('gives way to a newer one alone', () => {
  const [older, newer, unknown] = [of(1), of(2), of(null)];
  expect(newerKey(older, newer)).toBe(newer);
  expect(newerKey(newer, older)).toBe(newer);
  // What is opened holds where nobody knows better.
  expect(newerKey(unknown, newer)).toBe(unknown);
  expect(newerKey(newer, unknown)).toBe(newer);
  expect(newerKey(older, NONE)).toBe(older);
  expect(newerKey(NONE, older)).toBe(older);
});

it('is old once viewers have links of a later generation', () => {
  expect([1, 2, 3].map((generation) => isOldKey(of(2), generation))).toEqual([false, false, true]);
  expect(isOldKey(of(null), 3)).toBe(false);
  expect(isOldKey(of(2), null)).toBe(false);
  expect(isOldKey(NONE, 3)).toBe(false);
});
