import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Display, type FrameTag } from './display.ts';
import { JitterBuffer } from './latency.ts';
import { Pacing } from './pacing.ts';
import { Records } from './records.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function setUp() {
  const drawn: number[] = [];
  const closed: number[] = [];
  const looks: boolean[] = [];
  const parts = {
    pacing: new Pacing(),
    jitter: new JitterBuffer(),
    records: new Records(),
    relayUs: () => Date.now() * 1_000,
    nowMs: () => Date.now(),
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
    const captureUs = captureMs * 1_000;
    const header = { refinement: false, track: 0, layer: 0, group: 1, index: 0, config: null };
    return {
      header: { ...header, keyframe: false, epoch, captureUs },
      timing: parts.pacing.received(epoch, captureUs, Date.now()),
      live,
    };
  };
  return { ...parts, display, drawn, closed, looks, show, receive };
}

it('draws a live frame at once and records its latency', () => {
  const { show, receive, drawn, records } = setUp();
  const tag = receive(Date.now() - 80);
  show(1, tag);
  expect(drawn).toEqual([1]);
  const snapshot = records.snapshot({ bufferMs: 0, rttMs: null, picture: null });
  expect(snapshot.latencyP50Ms).toBe(80);
  expect(records.takeLog()).toMatchObject([{ epoch: 1, captureUs: tag.header.captureUs }]);
});

it('takes the age of cached frames for no latency', () => {
  const { show, receive, records } = setUp();
  show(1, receive(Date.now() - 20_000, 1, false));
  expect(records.snapshot({ bufferMs: 0, rttMs: null, picture: null }).latencyP50Ms).toBeNull();
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

it('draws frames of the jitter buffer at their time', () => {
  const { show, receive, drawn, jitter } = setUp();
  jitter.maxMs = 60;
  for (let turn = 0; turn < 90; turn += 1) jitter.arrived(turn % 2 === 0 ? 10 : 70);
  show(1, receive(Date.now() - 10));
  vi.advanceTimersByTime(33);
  show(2, receive(Date.now() - 10));
  expect(drawn).toEqual([]);
  vi.advanceTimersByTime(28);
  expect(drawn).toEqual([1]);
  vi.advanceTimersByTime(33);
  expect(drawn).toEqual([1, 2]);
});

it('forgets what waits', () => {
  const { show, receive, display, drawn, closed, jitter } = setUp();
  jitter.maxMs = 60;
  for (let turn = 0; turn < 90; turn += 1) jitter.arrived(turn % 2 === 0 ? 10 : 70);
  show(1, receive(Date.now() - 10));
  display.clear();
  vi.advanceTimersByTime(500);
  expect([drawn, closed]).toEqual([[], [1]]);
});
