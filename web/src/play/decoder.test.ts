import type { Colour, DecoderConfig, Frame } from '@steadycast/codec-glue';
import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Break, type DecoderLike, FrameDecoder } from './decoder.ts';

const CONFIG: DecoderConfig = {
  width: 640,
  height: 360,
  codec: 'vp8',
  description: new Uint8Array(0),
  colour: null,
};

function frame(index: number, config: DecoderConfig | null = index === 0 ? CONFIG : null): Frame {
  const place = { track: 0, layer: 0, epoch: 1, group: 1, captureUs: 5 };
  const header = { ...place, refinement: false, sealed: false };
  return { header: { ...header, index, keyframe: index === 0, config }, payload: Uint8Array.of(1) };
}

/** Decodes when told to. */
class FakeDecoder implements DecoderLike {
  state: CodecState = 'unconfigured';
  ondequeue: DecoderLike['ondequeue'] = null;
  readonly configs: VideoDecoderConfig[] = [];
  readonly chunks: EncodedVideoChunk[] = [];
  readonly init: VideoDecoderInit;

  constructor(init: VideoDecoderInit) {
    this.init = init;
  }

  get decodeQueueSize(): number {
    return this.chunks.length;
  }

  configure(config: VideoDecoderConfig): void {
    this.state = 'configured';
    this.configs.push(config);
  }

  decode(chunk: EncodedVideoChunk): void {
    this.chunks.push(chunk);
  }

  close(): void {
    this.state = 'closed';
  }

  output(count = 1): void {
    for (const chunk of this.chunks.splice(0, count)) {
      const decoded = { timestamp: chunk.timestamp, close: vi.fn() };
      this.init.output(decoded as unknown as VideoFrame);
    }
    this.ondequeue?.call(this as unknown as VideoDecoder, new Event('dequeue'));
  }

  /** Gives frames back in another order than they were given in. */
  outputAs(...places: number[]): void {
    for (const at of places) {
      const timestamp = this.chunks[at]?.timestamp;
      this.init.output({ timestamp, close: vi.fn() } as unknown as VideoFrame);
    }
    this.chunks.length = 0;
  }

  fail(name: string): void {
    this.state = 'closed';
    this.init.error(new DOMException('bad', name));
  }
}

let nowMs = 0;
let made: FakeDecoder[] = [];
let shown: number[] = [];
let breaks: Break[] = [];

function decoder(): FrameDecoder<number> {
  return new FrameDecoder<number>(
    { onFrame: (_, tag) => shown.push(tag), onBreak: (reason) => breaks.push(reason) },
    (init) => {
      const one = new FakeDecoder(init);
      made.push(one);
      return one;
    },
    () => nowMs,
  );
}

function newest(): FakeDecoder {
  const one = made.at(-1);
  if (one === undefined) throw new RangeError('no decoder was made');
  return one;
}

/** As the player's timer does. */
function checkUntil(one: FrameDecoder<number>, ms: number): void {
  for (; nowMs < ms; nowMs += 100) one.check();
}

beforeAll(() => {
  vi.stubGlobal(
    'EncodedVideoChunk',
    class {
      constructor(init: EncodedVideoChunkInit) {
        Object.assign(this, init);
      }
    },
  );
});

beforeEach(() => {
  nowMs = 0;
  made = [];
  shown = [];
  breaks = [];
});

describe('the decoder', () => {
  it('is configured again only when the config differs', () => {
    const one = decoder();
    one.decode(frame(0), 0);
    one.decode(frame(1), 1);
    one.decode(frame(0, { ...CONFIG }), 2);
    one.decode(frame(0, { ...CONFIG, width: 320 }), 3);
    expect(newest().configs.map(({ codedWidth }) => codedWidth)).toEqual([640, 320]);
    expect(newest().configs[0]).toMatchObject({ codec: 'vp8', optimizeForLatency: true });
    expect(newest().configs[0]).not.toHaveProperty('description');
    newest().output(4);
    expect(shown).toEqual([0, 1, 2, 3]);
  });

  it('is told what the samples mean, of VP8 even where nobody says', () => {
    const colour: Colour = {
      primaries: 'bt709',
      transfer: 'iec61966-2-1',
      matrix: 'smpte170m',
      fullRange: true,
    };
    const one = decoder();
    one.decode(frame(0), 0);
    one.decode(frame(0, { ...CONFIG, colour }), 1);
    one.decode(frame(0, { ...CONFIG, codec: 'vp09.00.40.08' }), 2);
    const bt601 = { primaries: 'smpte170m', matrix: 'smpte170m', fullRange: false };
    expect(newest().configs.map(({ colorSpace }) => colorSpace)).toMatchObject([
      bt601,
      colour,
      undefined,
    ]);
  });

  it('keeps few chunks inside, the rest where a newer keyframe drops them', () => {
    const one = decoder();
    for (let index = 0; index < 40; index += 1) one.decode(frame(index), index);
    expect(newest().chunks).toHaveLength(16);
    newest().output(4);
    expect(newest().chunks).toHaveLength(16);
    one.decode(frame(0), 100);
    newest().output(16);
    newest().output(16);
    expect(shown.at(-1)).toBe(100);
    expect(shown).toHaveLength(21);
  });

  it('lets no more frames wait than 400, and no more bytes than 16 MiB', () => {
    const one = decoder();
    for (let index = 0; index < 416; index += 1) one.decode(frame(index), index);
    expect(breaks).toHaveLength(0);
    one.decode(frame(416), 416);
    expect(breaks).toEqual(['overloaded']);
    expect(one.pending).toBe(16);
    const payload = new Uint8Array(8 << 20);
    for (let index = 0; index < 2; index += 1) one.decode({ ...frame(index), payload }, index);
    expect(one.pending).toBe(18);
    one.decode(frame(2), 2);
    expect(breaks).toHaveLength(2);
    expect(one.pending).toBe(16);
  });

  it('opens anew at the next keyframe after an error', () => {
    const one = decoder();
    one.decode(frame(0), 0);
    newest().fail('EncodingError');
    expect(breaks).toEqual(['error']);
    one.decode(frame(0), 1);
    newest().output();
    expect([made.length, shown]).toEqual([2, [1]]);
    expect(newest().configs[0]).not.toHaveProperty('hardwareAcceleration');
  });

  it('prefers software after two errors in a row', () => {
    const one = decoder();
    for (let turn = 0; turn < 2; turn += 1) {
      one.decode(frame(0), 0);
      newest().fail('EncodingError');
      nowMs += 1_000;
    }
    one.decode(frame(0), 0);
    expect(newest().configs[0]?.hardwareAcceleration).toBe('prefer-software');
  });

  it('says what cannot be decoded at all', () => {
    const one = decoder();
    one.decode(frame(0), 0);
    newest().fail('NotSupportedError');
    expect(breaks).toEqual(['unsupported']);
  });

  it('survives a decoder that throws', () => {
    const one = decoder();
    one.decode(frame(0), 0);
    newest().decode = () => {
      throw new DOMException('closed', 'InvalidStateError');
    };
    one.decode(frame(1), 1);
    one.decode(frame(2), 2);
    expect(breaks).toEqual(['error']);
  });

  it('opens in software when nothing comes out', () => {
    const one = decoder();
    one.check();
    one.decode(frame(0), 0);
    checkUntil(one, 1_400);
    expect(breaks).toEqual([]);
    checkUntil(one, 1_600);
    expect(breaks).toEqual(['stalled']);
    one.decode(frame(0), 1);
    expect(newest().configs[0]?.hardwareAcceleration).toBe('prefer-software');
    checkUntil(one, 9_000);
    expect(breaks).toEqual(['stalled']);
  });

  it('is not stalled by its own sleep', () => {
    const one = decoder();
    for (let index = 0; index < 40; index += 1) one.decode(frame(index), index);
    one.check();
    nowMs = 6_000;
    one.check();
    newest().output(16);
    checkUntil(one, 7_000);
    newest().output(16);
    expect(breaks).toEqual([]);
    expect(made).toHaveLength(1);
  });

  it('is not stalled by a static screen', () => {
    const one = decoder();
    one.decode(frame(0), 0);
    newest().output();
    nowMs = 60_000;
    one.decode(frame(1), 1);
    one.check();
    expect(breaks).toEqual([]);
  });

  it('gives up a backlog that it does not work off, each time less readily', () => {
    const one = decoder();
    const skips: number[] = [];
    for (let turn = 0, index = 0; turn < 800; turn += 1, index += 1) {
      nowMs = turn * 33;
      one.decode(frame(index), index);
      // Two of three: too slow for what arrives.
      if (turn % 3 !== 0) newest().output();
      one.check();
      if (breaks.length > skips.length) {
        skips.push(nowMs);
        index = -1;
      }
    }
    expect(new Set(breaks)).toEqual(new Set(['overloaded']));
    const pauses = skips.slice(1).map((ms, at) => ms - (skips[at] ?? 0));
    expect(pauses[0]).toBeGreaterThanOrEqual(2_000);
    expect(pauses[1]).toBeGreaterThanOrEqual(4_000);
  });
});

it('shows what a decoder gives back in another order, once it is known to', () => {
  const one = decoder();
  for (let index = 0; index < 4; index += 1) one.decode(frame(index), index);
  newest().outputAs(0, 2, 3, 1);
  for (let index = 4; index < 7; index += 1) one.decode(frame(index), index);
  newest().outputAs(1, 2, 0);
  expect(shown.slice(-3)).toEqual([5, 6, 4]);
  expect(one.pending).toBe(0);
});
