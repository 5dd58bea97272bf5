import { expect, it } from 'vitest';
import { JitterBuffer, Window } from './latency.ts';

it('knows percentiles of the newest values', () => {
  const window = new Window(100);
  expect(window.percentile(0.5)).toBeNull();
  for (let value = 1; value <= 200; value += 1) window.add(value);
  expect([0, 0.5, 0.95, 1].map((share) => window.percentile(share))).toEqual([101, 150, 195, 200]);
});

it('adds no delay unless it may', () => {
  const jitter = new JitterBuffer();
  for (let turn = 0; turn < 90; turn += 1) jitter.arrived(turn % 2 === 0 ? 10 : 90);
  expect([jitter.waitMs, jitter.dueMs(10)]).toEqual([0, 0]);
});

it('waits as long as late frames are late, at most 100 ms', () => {
  const jitter = new JitterBuffer();
  jitter.maxMs = 500;
  for (let turn = 0; turn < 90; turn += 1) jitter.arrived(turn % 2 === 0 ? 10 : 70);
  expect(jitter.waitMs).toBeCloseTo(60);
  expect([jitter.dueMs(10), jitter.dueMs(70)].map(Math.round)).toEqual([60, 0]);
  for (let turn = 0; turn < 90; turn += 1) jitter.arrived(turn % 2 === 0 ? 10 : 400);
  expect(jitter.waitMs).toBe(100);
});

it('forgets the wait slowly once frames come evenly', () => {
  const jitter = new JitterBuffer();
  jitter.maxMs = 100;
  for (let turn = 0; turn < 90; turn += 1) jitter.arrived(turn % 2 === 0 ? 10 : 70);
  for (let turn = 0; turn < 100; turn += 1) jitter.arrived(12);
  expect(jitter.waitMs).toBeGreaterThan(10);
  for (let turn = 0; turn < 300; turn += 1) jitter.arrived(12);
  expect(jitter.waitMs).toBe(0);
});

it('stops waiting when it no longer may', () => {
  const jitter = new JitterBuffer();
  jitter.maxMs = 100;
  for (let turn = 0; turn < 90; turn += 1) jitter.arrived(turn % 2 === 0 ? 10 : 70);
  jitter.maxMs = 0;
  expect(jitter.dueMs(10)).toBe(0);
});
