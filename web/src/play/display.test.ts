import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Display, type FrameTag, HELD_MAX } from './display.ts';
import { Pacing } from './pacing.ts';
import { Records } from './records.ts';
import type { Timers } from './timers.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Timers without a display's times. */
const PLAIN: Timers = {
  nowMs: () => Date.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
  frame: null,
};

function setUp(timers: Timers = PLAIN) {
  const drawn: number[] = [];
  const closed: number[] = [];
  const looks: boolean[] = [];
  const wait = { dueInMs: 0, bufferMs: 0 };
  const parts = {
    pacing: new Pacing(),
    records: new Records(),
    relayUs: () => Date.now() * 1_000,
    wait: () => wait,
    onRoom: vi.fn(),
    timers,
    onShown: vi.fn(),
    renderer: {
      draw: (frame: VideoFrame, _: number, look: boolean) => {
        drawn.push(frame.timestamp);
        looks.push(look);
        frame.close();
      },
    },
  };
  const display = new Display(parts);
  /** Decodes a frame captured at `captureMs`; `receive` first to let it be part of a rush. */
  const show = (id: number, tag: FrameTag) =>
    display.show({ timestamp: id, close: () => closed.push(id) } as unknown as VideoFrame, tag);
  const receive = (captureMs: number, epoch = 1, live = true): FrameTag => {
    const lateMs = live ? Date.now() - captureMs : null;
    const captureUs = captureMs * 1_000;
    const place = { track: 0, layer: 0, group: 1, index: 0 };
    const header = { ...place, refinement: false, sealed: false, config: null };
    return {
      header: { ...header, keyframe: false, epoch, captureUs },
      timing: parts.pacing.received(epoch, captureUs, Date.now(), lateMs),
      live,
      ready: null,
    };
  };
  return { ...parts, wait, display, drawn, closed, looks, show, receive };
}

it('draws a live frame at once and records its latency', () => {
  const { show, receive, drawn, records } = setUp();
  const tag = receive(Date.now() - 80);
  show(1, tag);
  expect(drawn).toEqual([1]);
  const snapshot = records.snapshot({ bufferMs: 0, rttMs: null, picture: null, sound: null });
  expect(snapshot.latencyP50Ms).toBe(80);
  expect(records.takeLog()).toMatchObject([{ epoch: 1, captureUs: tag.header.captureUs }]);
});

it('takes the age of cached frames for no latency', () => {
  const { show, receive, records } = setUp();
  show(1, receive(Date.now() - 20_000, 1, false));
  expect(
    records.snapshot({ bufferMs: 0, rttMs: null, picture: null, sound: null }).latencyP50Ms,
  ).toBeNull();
});

it('shows the newest of a rush once it settles, and closes the others', () => {
  const { show, receive, drawn, closed } = setUp();
  const start = Date.now() - 3_000;
  const tags = Array.from({ length: 40 }, (_, at) => receive(start + at * 33));
  tags.forEach((tag, id) => {
    show(id, tag);
  });
  expect(drawn).toEqual([]);
  vi.advanceTimersByTime(40);
  expect(drawn).toEqual([39]);
  expect(closed).toHaveLength(40);
});

it('looks at the canvas when the epoch changes', () => {
  const { show, receive, looks } = setUp();
  show(1, receive(Date.now() - 200));
  vi.advanceTimersByTime(100);
  show(2, receive(Date.now() - 200));
  vi.advanceTimersByTime(100);
  show(3, receive(Date.now() - 200, 2));
  expect(looks).toEqual([true, false, true]);
});

it('draws frames at their time', () => {
  const { show, receive, drawn, wait } = setUp();
  Object.assign(wait, { dueInMs: 60, bufferMs: 60 });
  show(1, receive(Date.now() - 10));
  vi.advanceTimersByTime(33);
  show(2, receive(Date.now() - 10));
  expect(drawn).toEqual([]);
  vi.advanceTimersByTime(28);
  expect(drawn).toEqual([1]);
  vi.advanceTimersByTime(33);
  expect(drawn).toEqual([1, 2]);
});

it('draws frames that are late together one after the other', () => {
  const { show, receive, drawn, onRoom } = setUp();
  for (const id of [1, 2, 3]) show(id, receive(Date.now() - 200 + id * 33));
  expect(drawn).toEqual([1]);
  vi.advanceTimersByTime(12);
  expect(drawn).toEqual([1, 2]);
  vi.advanceTimersByTime(12);
  expect(drawn).toEqual([1, 2, 3]);
  expect(onRoom).toHaveBeenCalledTimes(3);
});

it('draws what waits at once when it need not wait any more', () => {
  const { show, receive, drawn, wait, display } = setUp();
  Object.assign(wait, { dueInMs: 200, bufferMs: 200 });
  show(1, receive(Date.now() - 10));
  display.hurry();
  expect(drawn).toEqual([1]);
});

it('waits for the display, at its time nearest to the frame', () => {
  const ticks: (() => void)[] = [];
  const timers = { ...PLAIN, frame: (run: () => void) => ticks.push(run) };
  const { show, receive, drawn, wait } = setUp(timers);
  Object.assign(wait, { dueInMs: 40, bufferMs: 40 });
  show(1, receive(Date.now() - 10));
  const pass = (ms: number) => {
    vi.advanceTimersByTime(ms);
    ticks.shift()?.();
  };
  pass(30);
  expect(drawn, '10 ms early').toEqual([]);
  pass(4);
  expect(drawn, '6 ms early').toEqual([1]);
});

it('goes on by timers, and by arrivals, where a hidden page is given no display times', () => {
  const timers: Timers = { ...PLAIN, frame: () => undefined };
  const { show, receive, drawn, wait, display } = setUp(timers);
  Object.assign(wait, { dueInMs: 40, bufferMs: 40 });
  show(1, receive(Date.now() - 10));
  vi.advanceTimersByTime(75);
  expect(drawn, 'a little late, the first time').toEqual([1]);
  show(2, receive(Date.now() - 10));
  vi.advanceTimersByTime(41);
  expect(drawn).toEqual([1, 2]);
  show(3, receive(Date.now() - 10));
  // Even the timers rest.
  vi.setSystemTime(Date.now() + 80);
  display.nudge();
  expect(drawn).toEqual([1, 2, 3]);
});

it('never holds more frames than a decoder can spare', () => {
  const { show, receive, display, closed, wait } = setUp();
  Object.assign(wait, { dueInMs: 400, bufferMs: 400 });
  for (let id = 1; id <= 20; id += 1) {
    show(id, receive(Date.now() - 10));
    vi.advanceTimersByTime(1);
  }
  expect([display.held, closed.length]).toEqual([HELD_MAX, 20 - HELD_MAX]);
});

it('forgets what waits', () => {
  const { show, receive, display, drawn, closed, wait } = setUp();
  Object.assign(wait, { dueInMs: 60, bufferMs: 60 });
  show(1, receive(Date.now() - 10));
  display.clear();
  vi.advanceTimersByTime(500);
  expect([drawn, closed]).toEqual([[], [1]]);
});
