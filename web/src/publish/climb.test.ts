import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { CLIMB_PAUSE_MS, Climb } from './climb.ts';

function setUp(moved = false) {
  const attempt = vi.fn(async (_: AbortSignal) => moved);
  let change: () => void = () => undefined;
  const climb = new Climb(attempt, (listener) => {
    change = listener;
    return () => {
      change = () => undefined;
    };
  });
  return { attempt, climb, network: () => change() };
}

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('is tried after a minute, and then ever more seldom', async () => {
  const { attempt, climb } = setUp();
  climb.start();
  let pauseMs = CLIMB_PAUSE_MS.first;
  for (let times = 1; times <= 8; times += 1) {
    await pass(pauseMs - 1);
    expect(attempt).toHaveBeenCalledTimes(times - 1);
    await pass(1);
    expect(attempt).toHaveBeenCalledTimes(times);
    pauseMs = Math.min(CLIMB_PAUSE_MS.most, pauseMs * 2);
  }
});

it('is tried at once on another network', async () => {
  const { attempt, climb, network } = setUp();
  climb.start();
  await pass(10);
  network();
  expect(attempt).toHaveBeenCalledTimes(1);
  await pass(CLIMB_PAUSE_MS.first);
  expect(attempt).toHaveBeenCalledTimes(2);
});

it('is tried when the session was lost and is back, unless it just was', async () => {
  const { attempt, climb } = setUp();
  climb.start();
  await pass(CLIMB_PAUSE_MS.first);
  climb.start();
  expect(attempt).toHaveBeenCalledTimes(1);
  await pass(CLIMB_PAUSE_MS.first + 1_000);
  climb.start();
  expect(attempt).toHaveBeenCalledTimes(2);
});

it('ends with success, and when it is stopped', async () => {
  const up = setUp(true);
  up.climb.start();
  await pass(CLIMB_PAUSE_MS.most);
  expect(up.attempt).toHaveBeenCalledTimes(1);
  const { attempt, climb, network } = setUp();
  climb.start();
  await pass(CLIMB_PAUSE_MS.first);
  climb.stop();
  expect(attempt.mock.calls[0]?.[0].aborted).toBe(true);
  network();
  await pass(CLIMB_PAUSE_MS.most);
  expect(attempt).toHaveBeenCalledTimes(1);
});

it('is seldom where sessions break off on the better one, and ever more so from one stay there to the next', async () => {
  const { attempt, climb, network } = setUp(true);
  let pauseMs = CLIMB_PAUSE_MS.frail;
  for (let times = 1; times <= 4; times += 1) {
    climb.start(true);
    await pass(pauseMs / 2);
    // The lesser one's session was lost and is back.
    climb.start(true);
    await pass(pauseMs / 2 - 1);
    expect(attempt).toHaveBeenCalledTimes(times - 1);
    await pass(1);
    expect(attempt).toHaveBeenCalledTimes(times);
    climb.stop();
    pauseMs = Math.min(CLIMB_PAUSE_MS.most, pauseMs * 2);
  }
  climb.start(true);
  network();
  expect(attempt).toHaveBeenCalledTimes(5);
});
