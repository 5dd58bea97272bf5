import { expect, it } from 'vitest';
import { HISTORY_MS, History, MINUTE_MS } from './history.ts';
import type { HostStatus } from './status.ts';

const said = (fpsSent: number): HostStatus =>
  ({
    rates: { fpsSent, bitsPerSecond: 1_000, encodeMs: null },
    rttMs: null,
    players: 2,
  }) as HostStatus;

it('has each second of the last minute, and nothing twice within one', () => {
  const history = new History();
  for (let ms = 0; ms < 30_000; ms += 250) history.add(ms, said(30));
  expect(history.samples).toHaveLength(30);
  expect(history.samples[0]).toMatchObject({ atMs: 0, fps: 30, encodeMs: 0, rttMs: 0, players: 2 });
});

it('has means of what is older, for five minutes and no longer', () => {
  const history = new History();
  const hour = 60 * MINUTE_MS;
  for (let ms = 0; ms <= hour; ms += 1_000) history.add(ms, said((ms / 1_000) % 2));
  const { samples } = history;
  const ages = samples.map(({ atMs }) => hour - atMs);
  expect(Math.max(...ages)).toBeLessThan(HISTORY_MS);
  expect(Math.max(...ages)).toBeGreaterThan(HISTORY_MS - 10_000);
  expect(ages).toEqual(ages.toSorted((one, other) => other - one));
  expect(samples.length).toBeLessThan(120);
  const old = samples.filter(({ atMs }) => hour - atMs > MINUTE_MS + 10_000);
  for (const { fps } of old) expect([0.4, 0.6]).toContain(fps);
  expect(samples.filter(({ atMs }) => hour - atMs < MINUTE_MS)).toHaveLength(60);
});

it('forgets what was before a long pause', () => {
  const history = new History();
  for (let ms = 0; ms < 90_000; ms += 1_000) history.add(ms, said(30));
  history.add(90_000 + HISTORY_MS, said(10));
  expect(history.samples.map(({ fps }) => fps)).toEqual([10]);
});
