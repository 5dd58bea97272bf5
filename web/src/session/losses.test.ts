import { expect, it } from 'vitest';
import { Losses } from './losses.ts';

it('holds nothing against a way that lost one session, or one now and then', () => {
  const losses = new Losses<string>();
  for (const atMs of [5_000, 65_000, 200_000]) expect(losses.broke('udp', atMs)).toBe(false);
  expect([losses.frailty('udp'), losses.worst]).toEqual([0, 0]);
});

it('relies no more on one that lost two within a minute, and counts each one from then on', () => {
  const losses = new Losses<string>();
  losses.broke('udp', 5_000);
  expect(losses.broke('udp', 64_999)).toBe(true);
  expect(losses.sorted(['udp', 'tcp'])).toEqual(['tcp', 'udp']);
  losses.opened('udp', 300_000);
  expect(losses.broke('udp', 400_000)).toBe(true);
  losses.worse('udp');
  expect([losses.frailty('udp'), losses.frailty('tcp'), losses.worst]).toEqual([3, 0, 3]);
});

it('relies on it again once it has held for ten minutes, or on another network', () => {
  const held = new Losses<string>();
  for (const atMs of [1_000, 2_000]) held.broke('udp', atMs);
  held.opened('udp', 100_000);
  expect(held.broke('udp', 700_000)).toBe(false);
  expect(held.frailty('udp')).toBe(0);
  const moved = new Losses<string>();
  for (const atMs of [1_000, 2_000]) moved.broke('udp', atMs);
  moved.forget();
  expect(moved.broke('udp', 3_000)).toBe(false);
});
