import { expect, it } from 'vitest';
import { Relays } from './relays.ts';

const HOME = 'https://a.example';
const B = 'https://b.example';
const C = 'https://c.example';

it('knows of no other at first', () => {
  expect(new Relays(HOME).next(0)).toBeNull();
});

it('tries the others in order, then its own again, and none more often than every two seconds', () => {
  const relays = new Relays(HOME);
  relays.knows([B, C]);
  const go = (nowMs: number) => {
    const next = relays.next(nowMs);
    if (next !== null) relays.moveTo(next);
    return next;
  };
  expect([go(0), go(100), go(200)]).toEqual([B, C, null]);
  expect(relays.at).toBe(C);
  expect([go(2_050), go(2_150), go(2_200)]).toEqual([HOME, B, null]);
  expect([relays.isHome, relays.at]).toEqual([false, B]);
});

it('keeps in mind who the others are when nobody says so', () => {
  const relays = new Relays(HOME);
  relays.knows([B]);
  relays.knows([]);
  expect(relays.next(0)).toBe(B);
});
