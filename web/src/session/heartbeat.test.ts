import { expect, it } from 'vitest';
import { Heartbeat } from './heartbeat.ts';

const ticks = (heartbeat: Heartbeat, times: number[]) => times.map((ms) => heartbeat.tick(ms));

it('gives a player up after three silent heartbeats', () => {
  const heartbeat = new Heartbeat(1_000, 0);
  expect(ticks(heartbeat, [1_000, 2_000, 3_000])).toEqual(['alive', 'alive', 'dead']);
});

it('gives a publisher three seconds as well', () => {
  const heartbeat = new Heartbeat(250, 0);
  const times = Array.from({ length: 12 }, (_, turn) => 250 * (turn + 1));
  const states = ticks(heartbeat, times);
  expect([states.indexOf('dead'), states.length]).toEqual([11, 12]);
});

it('lives on any byte', () => {
  const heartbeat = new Heartbeat(1_000, 0);
  heartbeat.heard(2_900);
  expect(ticks(heartbeat, [1_000, 2_000, 3_000, 4_000, 5_000])).not.toContain('dead');
  expect(heartbeat.tick(6_000)).toBe('dead');
});

it('takes its own sleep for nobody’s silence', () => {
  const heartbeat = new Heartbeat(1_000, 0);
  heartbeat.tick(1_000);
  expect(heartbeat.tick(60_000)).toBe('alive');
  expect(ticks(heartbeat, [61_000, 62_000])).toEqual(['dead', 'dead']);
});
