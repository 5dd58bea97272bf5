import { encodeFrame, type FrameHeader, groupPreamble } from '@steadycast/codec-glue';
import { expect, it, vi } from 'vitest';
import type { Carrier } from './carrier.ts';
import { readGroups } from './intake.ts';

const header = (group: number, index: number): FrameHeader => ({
  keyframe: index === 0,
  refinement: false,
  sealed: false,
  track: 0,
  layer: 0,
  epoch: 1,
  group,
  index,
  captureUs: 1,
  config:
    index === 0
      ? { width: 4, height: 2, codec: 'vp8', description: new Uint8Array(0), colour: null }
      : null,
});

function bytes(group: number, index: number): Uint8Array[] {
  const { head, payload } = encodeFrame(header(group, index), Uint8Array.of(7));
  return index === 0 ? [groupPreamble(), head, payload] : [head, payload];
}

/** A stream whose reader sees the chunks, then the end or a failure. */
function stream(chunks: Uint8Array[], failure?: unknown): ReadableStream<Uint8Array> {
  const left = [...chunks];
  return new ReadableStream({
    pull(controller) {
      const chunk = left.shift();
      if (chunk !== undefined) controller.enqueue(chunk);
      else if (failure === undefined) controller.close();
      else controller.error(failure);
    },
  });
}

function streamOf<T>(values: T[]): ReadableStream<T> {
  return new ReadableStream({
    start(controller) {
      for (const value of values) controller.enqueue(value);
      controller.close();
    },
  });
}

async function read(streams: ReadableStream<Uint8Array>[]) {
  const frames: string[] = [];
  const events = { pieces: 0, skips: 0, broken: [] as string[] };
  const heard = vi.fn();
  const carrier = { groups: () => streamOf(streams), heard } as unknown as Carrier;
  await readGroups(carrier, {
    onFrame: (id, { header }) => {
      frames.push(`${id}:${header.group}/${header.index}`);
      return null;
    },
    onBytes: () => {
      events.pieces += 1;
    },
    onSkip: () => {
      events.skips += 1;
    },
    onBroken: (id, error) => events.broken.push(`${id}:${error.code}`),
  });
  await vi.waitFor(() => expect(streams.every((one) => one.locked)).toBe(true));
  await new Promise((resolve) => setTimeout(resolve, 10));
  return { frames, heard, ...events };
}

it('cuts every stream into its frames', async () => {
  const { frames, heard } = await read([
    stream([...bytes(1, 0), ...bytes(1, 1)]),
    stream(bytes(2, 0)),
  ]);
  expect(frames.toSorted()).toEqual(['1:1/0', '1:1/1', '2:2/0']);
  expect(heard).toHaveBeenCalled();
});

it('counts a skip, and minds no other reset', async () => {
  const reset = (streamErrorCode: number) => Object.assign(new Error(), { streamErrorCode });
  const result = await read([
    stream(bytes(1, 0), reset(5)),
    stream(bytes(2, 0), reset(0)),
    stream(bytes(3, 0), new Error('session closed')),
  ]);
  expect([result.skips, result.broken]).toEqual([1, []]);
});

it('gives up a stream that breaks the protocol, and no other', async () => {
  const { frames, broken } = await read([
    stream([Uint8Array.of(1)]),
    stream([groupPreamble(), ...bytes(1, 1)]),
    stream(bytes(2, 0).slice(0, 2)),
    stream(bytes(3, 0)),
  ]);
  expect(broken.toSorted()).toEqual(['1:malformed', '2:out_of_order', '3:malformed']);
  expect(frames).toEqual(['4:3/0']);
});
