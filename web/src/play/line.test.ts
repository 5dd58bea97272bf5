import type { Frame } from '@steadycast/codec-glue';
import { expect, it } from 'vitest';
import { VirtualTime } from './fake-path.ts';
import { Line } from './line.ts';

function setUp() {
  const time = new VirtualTime();
  const passed: number[] = [];
  const hand = { decoding: 0, decoded: 0 };
  const hopeless = new Set<number>();
  const due = new Map<number, number>();
  const line = new Line<number>({
    timers: time,
    dueInMs: (id) => (due.get(id) ?? 0) - time.nowMs(),
    isHopeless: (id) => hopeless.has(id),
    inHand: () => hand,
    decode: (_, id) => {
      passed.push(id);
      hand.decoding += 1;
    },
  });
  const add = (id: number, dueMs = 0, keyframe = false) => {
    due.set(id, dueMs);
    line.add({ header: { keyframe } } as Frame, id);
  };
  const output = () => {
    hand.decoding -= 1;
    hand.decoded += 1;
    line.decoded();
  };
  const drawn = () => {
    hand.decoded -= 1;
    line.move();
  };
  return { time, line, add, output, drawn, passed, hand, hopeless };
}

it('lets a frame pass at once that is to be shown at once', () => {
  const { add, passed } = setUp();
  add(1);
  expect(passed).toEqual([1]);
});

it('keeps a frame until shortly before its time', () => {
  const { add, passed, time } = setUp();
  add(1, 300);
  time.runUntil(215);
  expect(passed).toEqual([]);
  time.runUntil(221);
  expect(passed).toEqual([1]);
});

it('decodes early what is needed for a frame that is shown before it', () => {
  const { add, passed, time } = setUp();
  add(1, 400);
  add(2, 300);
  time.runUntil(221);
  expect(passed).toEqual([1, 2]);
});

it('has three frames in hand at most, and goes on with each that is drawn', () => {
  const { add, output, drawn, passed } = setUp();
  for (const id of [1, 2, 3, 4, 5]) add(id);
  expect(passed).toEqual([1, 2, 3]);
  for (let turn = 0; turn < 3; turn += 1) output();
  expect(passed).toEqual([1, 2, 3]);
  drawn();
  expect(passed).toEqual([1, 2, 3, 4]);
});

it('lets those pass that are decoded for their successors only', () => {
  const { add, passed, hopeless, line } = setUp();
  for (const id of [1, 2, 3, 4, 5, 6]) add(id);
  for (const id of [4, 5]) hopeless.add(id);
  line.move();
  expect(passed).toEqual([1, 2, 3, 4, 5]);
});

it('finds out what a decoder keeps to itself, and does not count that', () => {
  const { add, passed, time } = setUp();
  for (const id of [1, 2, 3, 4, 5]) add(id);
  time.runUntil(49);
  expect(passed).toHaveLength(3);
  time.runUntil(200);
  expect(passed).toHaveLength(5);
});

it('skips to a keyframe after an error, or forgets all', () => {
  const { add, line } = setUp();
  for (const id of [1, 2, 3, 4]) add(id, 900);
  add(5, 900, true);
  expect([line.skipToKeyframe(), line.length]).toEqual([true, 1]);
  line.clear();
  add(6, 900);
  expect([line.skipToKeyframe(), line.length]).toEqual([false, 0]);
});
