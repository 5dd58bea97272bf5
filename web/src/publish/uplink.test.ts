import { colourOf, type Frame, GroupParser, newLinkKey } from '@steadycast/codec-glue';
import { describe, expect, it, vi } from 'vitest';
import { PrivateBroadcast } from '../privacy/private-broadcast.ts';
import { Sealing } from '../privacy/sealing.ts';
import type { EncodedPicture } from './encoder.ts';
import { Uplink } from './uplink.ts';

const CONFIG = {
  width: 640,
  height: 360,
  codec: 'vp8',
  description: new Uint8Array(0),
  colour: null,
};

function picture(keyframe: boolean, capturedUs: number): EncodedPicture {
  const payload = Uint8Array.of(1, 2, 3);
  const config = keyframe ? CONFIG : null;
  return { keyframe, refinement: false, layer: 0, capturedUs, config, payload, encodeMs: 1 };
}

/** A session whose streams keep what was written, and can be told to fail or to hold up. */
class FakeCarrier {
  readonly clock = { offsetUs: 1_000, rttUs: 40_000 };
  readonly welcome = { version: 2 };
  readonly streams: Uint8Array[][] = [];
  finished = 0;
  failing = false;
  held: Promise<void> = Promise.resolve();

  async openGroup(): Promise<WritableStreamDefaultWriter<Uint8Array>> {
    const written: Uint8Array[] = [];
    this.streams.push(written);
    return new WritableStream<Uint8Array>({
      write: async (chunk) => {
        if (this.failing) throw new Error('reset');
        await this.held;
        written.push(chunk);
      },
      close: () => {
        this.finished += 1;
      },
    }).getWriter();
  }

  frames(stream: number): Frame[] {
    const parser = new GroupParser();
    for (const chunk of this.streams[stream] ?? []) parser.push(chunk);
    const frames: Frame[] = [];
    for (let frame = parser.next(); frame !== null; frame = parser.next()) frames.push(frame);
    return frames;
  }
}

function setUp(sealing: Sealing | null = null) {
  const carrier = new FakeCarrier();
  const onSent = vi.fn();
  const onGiven = vi.fn();
  const onKeyframeNeeded = vi.fn();
  const uplink = new Uplink({
    carrier,
    epoch: 4,
    track: 2,
    sealing,
    onGiven,
    onSent,
    onKeyframeNeeded,
  });
  return { carrier, onGiven, onSent, onKeyframeNeeded, uplink };
}

describe('the uplink', () => {
  it('opens a stream with every keyframe and keeps the order', async () => {
    const { carrier, onSent, uplink } = setUp();
    for (const [at, key] of [true, false, false, true, false].entries()) {
      uplink.send(picture(key, 1_000_000 + at));
    }
    await vi.waitFor(() => expect(onSent).toHaveBeenCalledTimes(5));
    expect(carrier.streams).toHaveLength(2);
    const headers = [...carrier.frames(0), ...carrier.frames(1)].map(({ header }) => header);
    expect(headers.map(({ group, index }) => [group, index])).toEqual([
      [1, 0],
      [1, 1],
      [1, 2],
      [2, 0],
      [2, 1],
    ]);
    expect(headers.every(({ epoch, track }) => epoch === 4 && track === 2)).toBe(true);
    expect(headers[0]?.config).toEqual(CONFIG);
    expect(headers[0]?.captureUs).toBe(1_001_000);
  });

  it('says what the samples mean, but not to a relay of version 1', async () => {
    const colour = colourOf({
      primaries: 'smpte170m',
      transfer: 'smpte170m',
      matrix: 'smpte170m',
      fullRange: false,
    });
    for (const [version, said] of [
      [1, null],
      [2, colour],
    ] as const) {
      const { carrier, onSent, uplink } = setUp();
      carrier.welcome.version = version;
      uplink.send({ ...picture(true, 1_000_000), config: { ...CONFIG, colour } });
      await vi.waitFor(() => expect(onSent).toHaveBeenCalled());
      expect(carrier.frames(0)[0]?.header.config?.colour).toEqual(said);
    }
  });

  it('has no use for a picture before the first keyframe', () => {
    const { uplink } = setUp();
    expect(uplink.send(picture(false, 1))).toBe(false);
  });

  it('says how much waits for the network', async () => {
    const { carrier, onSent, uplink } = setUp();
    let release: () => void = () => undefined;
    carrier.held = new Promise((resolve) => {
      release = resolve;
    });
    uplink.send(picture(true, 1));
    uplink.send(picture(false, 2));
    uplink.send(picture(false, 3));
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(uplink.backlog).toBe(3);
    release();
    await vi.waitFor(() => expect(onSent).toHaveBeenCalledTimes(3));
    expect(uplink.backlog).toBe(0);
  });

  it('counts what its streams were given, and nothing of what it dropped', async () => {
    const { carrier, onGiven, uplink } = setUp();
    let release: () => void = () => undefined;
    carrier.held = new Promise((resolve) => {
      release = resolve;
    });
    for (const at of [1, 2, 3, 4]) uplink.send(picture(at === 1, at));
    await vi.waitFor(() => expect(onGiven).toHaveBeenCalled());
    uplink.rest();
    release();
    await vi.waitFor(() => expect(carrier.finished).toBe(1));
    const given = onGiven.mock.calls.reduce((sum, [bytes]) => sum + bytes, 0);
    const written = carrier.streams.flat().reduce((sum, { length }) => sum + length, 0);
    expect(written).toBeGreaterThan(0);
    expect(given).toBe(written);
  });

  it('asks for a keyframe when a stream fails, and goes on with it', async () => {
    const { carrier, onSent, onKeyframeNeeded, uplink } = setUp();
    carrier.failing = true;
    uplink.send(picture(true, 1));
    await vi.waitFor(() => expect(onKeyframeNeeded).toHaveBeenCalledTimes(1));
    expect(uplink.send(picture(false, 2))).toBe(false);
    carrier.failing = false;
    expect(uplink.send(picture(true, 3))).toBe(true);
    await vi.waitFor(() => expect(onSent).toHaveBeenCalledTimes(1));
    expect(carrier.frames(1)[0]?.header.group).toBe(2);
  });

  it('drops the rest of a group whose picture breaks a limit', () => {
    const { uplink } = setUp();
    uplink.send(picture(true, 1));
    const huge = { ...picture(false, 2), payload: new Uint8Array(5_000_000) };
    expect(() => uplink.send(huge)).toThrow(/payload/);
    expect(uplink.send(picture(false, 3))).toBe(false);
    expect(uplink.send(picture(true, 4))).toBe(true);
  });

  it('rests after the frame that is being written, and goes on with the next group', async () => {
    const { carrier, onSent, uplink } = setUp();
    let release: () => void = () => undefined;
    carrier.held = new Promise((resolve) => {
      release = resolve;
    });
    uplink.send(picture(true, 1));
    uplink.send(picture(false, 2));
    await new Promise((resolve) => setTimeout(resolve, 5));
    uplink.rest();
    expect(uplink.send(picture(false, 3))).toBe(false);
    release();
    await vi.waitFor(() => expect(carrier.finished).toBe(1));
    expect(onSent).toHaveBeenCalledTimes(1);
    expect(carrier.frames(0)).toHaveLength(1);
    uplink.send(picture(true, 4));
    await vi.waitFor(() => expect(onSent).toHaveBeenCalledTimes(2));
    expect(carrier.frames(1)[0]?.header.group).toBe(2);
    uplink.rest();
    await vi.waitFor(() => expect(carrier.finished).toBe(2));
  });

  it('takes nothing once its session is gone', async () => {
    const { onSent, uplink } = setUp();
    uplink.close();
    expect(uplink.send(picture(true, 1))).toBe(false);
    expect(onSent).not.toHaveBeenCalled();
  });
});

it('takes back what waits, and says which group follows', async () => {
  const { carrier, onGiven, uplink } = setUp();
  expect(uplink.takeBack()).toBe(1);
  let release: () => void = () => undefined;
  carrier.held = new Promise((resolve) => {
    release = resolve;
  });
  for (const at of [1, 2, 3]) uplink.send(picture(at === 1, at));
  await vi.waitFor(() => expect(onGiven).toHaveBeenCalled());
  expect(uplink.takeBack()).toBe(2);
  release();
  await vi.waitFor(() => expect(carrier.finished).toBe(1));
  expect(carrier.frames(0)).toHaveLength(1);
  expect(uplink.send(picture(false, 4))).toBe(false);
  uplink.send(picture(true, 5));
  await vi.waitFor(() => expect(carrier.frames(1)).toHaveLength(1));
  expect(carrier.frames(1)).toMatchObject([{ header: { group: 2, index: 0 } }]);
});

describe('the uplink of a private broadcast', () => {
  const KEY = newLinkKey();
  const opened = async (broadcast: PrivateBroadcast, stream: number, frame: Frame | undefined) => {
    if (frame === undefined) return 'nothing';
    const opening = await broadcast.picture(stream, frame);
    return opening.kind === 'good' ? [...opening.frame.payload].join() : opening.kind;
  };

  it('seals every frame for those with the key, in order', async () => {
    const { carrier, onSent, onGiven, uplink } = setUp(new Sealing(KEY));
    for (const [at, key] of [true, false, false, true, false].entries()) {
      uplink.send(picture(key, 1_000_000 + at * 33_000));
    }
    await vi.waitFor(() => expect(onSent).toHaveBeenCalledTimes(5));
    const seen = new PrivateBroadcast(KEY);
    for (const [stream, count] of [3, 2].entries()) {
      const frames = carrier.frames(stream);
      expect(frames.map(({ header }) => header.sealed)).toEqual(Array(count).fill(true));
      for (const frame of frames) expect(await opened(seen, stream, frame)).toBe('1,2,3');
    }
    const given = onGiven.mock.calls.reduce((sum, [bytes]) => sum + bytes, 0);
    expect(given).toBe(carrier.streams.flat().reduce((sum, { length }) => sum + length, 0));
  });

  it('goes over to another key with the next keyframe', async () => {
    const sealing = new Sealing(KEY);
    const { carrier, onSent, uplink } = setUp(sealing);
    uplink.send(picture(true, 1_000_000));
    const next = newLinkKey();
    sealing.change(next);
    uplink.send(picture(false, 1_033_000));
    uplink.send(picture(true, 1_066_000));
    await vi.waitFor(() => expect(onSent).toHaveBeenCalledTimes(3));
    const [before, after] = [new PrivateBroadcast(KEY), new PrivateBroadcast(next)];
    for (const frame of carrier.frames(0)) expect(await opened(before, 1, frame)).toBe('1,2,3');
    const [key] = carrier.frames(1);
    expect(await opened(before, 2, key)).toBe('wrong');
    expect(await opened(after, 2, key)).toBe('1,2,3');
  });

  it('is shown by nobody who has seen a later session of the host', async () => {
    const [first, second] = [setUp(new Sealing(KEY)), setUp(new Sealing(KEY))];
    first.uplink.send(picture(true, 1_000_000));
    second.uplink.send(picture(true, 90_000_000));
    await vi.waitFor(() => expect(second.onSent).toHaveBeenCalledTimes(1));
    const seen = new PrivateBroadcast(KEY);
    const [old, newer] = [first.carrier.frames(0)[0], second.carrier.frames(0)[0]];
    expect(await opened(seen, 1, old)).toBe('1,2,3');
    expect(await opened(seen, 2, newer)).toBe('1,2,3');
    expect(await opened(seen, 3, old)).toBe('wrong');
  });
});
