import type { WantedTrack } from '@steadycast/codec-glue';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { localUs } from '../session/index.ts';
import { FakeEncoder, FakeFrame, SOURCE, stubEncoders } from './fake-encoder.ts';
import type { Size } from './geometry.ts';
import { Pipeline } from './pipeline.ts';
import { DEFAULT_QUALITY } from './quality.ts';
import { Tally } from './tally.ts';
import type { SentFrame } from './uplink.ts';
import { SessionUplinks } from './uplinks.ts';

const FRAME_MS = 1_000 / 30;
const WAY_MS = 20;
const REPORT_MS = 100;
const NARROW: WantedTrack = {
  track: 5,
  kind: 'video',
  codec: 'vp9',
  maxKbps: 400,
  players: 1,
};

/** A screen that moves thirty times a second, a pipeline, and a session over an uplink. */
class Host {
  readonly sent: (SentFrame & { track: number; atMs: number })[] = [];
  /** Bits a second that the uplink carries. */
  carries = Number.POSITIVE_INFINITY;
  readonly refused: number[] = [];
  /** The size of what is captured. */
  source: Size = SOURCE;
  /** The newest frame of it. */
  frame: FakeFrame | null = null;
  readonly pipeline: Pipeline;
  #source: ReadableStreamDefaultController<VideoFrame> | null = null;
  /** When what was given comes, and how much that is in all. */
  #under: { atMs: number; total: number }[] = [];
  #given = 0;
  #freeMs = 0;
  #reportMs = 0;

  constructor() {
    this.pipeline = new Pipeline({
      tally: new Tally(),
      onPreview: () => undefined,
      onUnable: () => undefined,
      onRefused: (track) => this.refused.push(track),
    });
    const frames = new ReadableStream<VideoFrame>({
      start: (source) => {
        this.#source = source;
      },
    });
    void this.pipeline.run(frames);
  }

  connect(version = 3): void {
    this.pipeline.connect(
      new SessionUplinks({
        carrier: {
          clock: { offsetUs: 0, rttUs: 40_000 },
          welcome: { version },
          openGroup: async () => new WritableStream<Uint8Array>().getWriter(),
        },
        epoch: 1,
        sealing: null,
        onGiven: (bytes) => this.#take(bytes),
        onSent: (track, frame) => {
          this.sent.push({ ...frame, track, atMs: performance.now() });
          this.pipeline.sent(track, frame);
        },
        onKeyframeNeeded: (track) => this.pipeline.requestKeyframe(track),
      }),
    );
  }

  async move(seconds: number): Promise<void> {
    for (let frame = 0; frame < seconds * 30; frame += 1) {
      const timestamp = performance.now() * 1_000;
      const { width: codedWidth, height: codedHeight } = this.source;
      this.frame = new FakeFrame(null, { timestamp, codedWidth, codedHeight });
      this.#source?.enqueue(this.frame as unknown as VideoFrame);
      await vi.advanceTimersByTimeAsync(FRAME_MS);
      this.#report();
    }
  }

  /** Time passes, and nothing is captured. */
  async wait(seconds: number): Promise<void> {
    for (let frame = 0; frame < seconds * 30; frame += 1) {
      await vi.advanceTimersByTimeAsync(FRAME_MS);
      this.#report();
    }
  }

  /** What is captured is closed. */
  end(): void {
    this.#source?.close();
  }

  /** Frames of a track in the last seconds. */
  rate(track: number, seconds: number): number {
    const fromMs = performance.now() - seconds * 1_000;
    const lately = this.sent.filter((frame) => frame.track === track && frame.atMs >= fromMs);
    return lately.length / seconds;
  }

  #take(bytes: number): void {
    this.#given += bytes;
    this.#freeMs = Math.max(this.#freeMs, performance.now()) + (bytes * 8_000) / this.carries;
    this.#under.push({ atMs: this.#freeMs + WAY_MS, total: this.#given });
    this.pipeline.given(bytes);
  }

  #report(): void {
    const nowMs = performance.now();
    const come = this.#under.filter(({ atMs }) => atMs <= nowMs);
    const newest = come.at(-1);
    if (newest === undefined || nowMs < this.#reportMs) return;
    this.#under = this.#under.slice(come.length);
    this.#reportMs = nowMs + REPORT_MS;
    this.pipeline.arrived(newest.total, localUs());
  }
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] });
  stubEncoders();
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

it('encodes for a session, and nothing without one', async () => {
  const host = new Host();
  await host.move(1);
  expect(FakeEncoder.made).toHaveLength(0);
  host.connect();
  await host.move(2);
  expect(host.sent[0]).toMatchObject({ track: 0, keyframe: true });
  expect(host.rate(0, 1)).toBeGreaterThanOrEqual(29);
  host.pipeline.connect(null);
  const before = host.sent.length;
  await host.move(1);
  expect(host.sent.length).toBe(before);
});

it('sends what else is wanted on tracks of its own, and ends it with the wish', async () => {
  const host = new Host();
  host.connect();
  await host.move(1);
  host.pipeline.want([NARROW]);
  await host.move(3);
  const [first] = host.sent.filter(({ track }) => track === NARROW.track);
  expect(first?.keyframe).toBe(true);
  // Ten pictures a second for so narrow a path; the main track is what it was.
  expect(host.rate(NARROW.track, 2)).toBeLessThan(12);
  expect(host.rate(NARROW.track, 2)).toBeGreaterThan(7);
  expect(host.rate(0, 2)).toBeGreaterThanOrEqual(29);
  expect(host.pipeline.renditions).toMatchObject([{ codec: 'vp9', maxKbps: 400, players: 1 }]);
  host.pipeline.want([]);
  await host.move(1);
  expect(host.rate(NARROW.track, 0.9)).toBe(0);
  expect(host.refused).toEqual([]);
});

describe('a picture that is taken back', () => {
  class Canvas {
    getContext = () => ({ fillRect: () => undefined, fillText: () => undefined });
    constructor(
      readonly width: number,
      readonly height: number,
    ) {}
  }

  it('is a card of its size, from a keyframe on, and the picture again', async () => {
    vi.stubGlobal('OffscreenCanvas', Canvas);
    const host = new Host();
    host.connect();
    await host.move(1);
    const before = host.sent.length;
    host.pipeline.pause(true);
    await host.move(3);
    const card = host.sent.slice(before);
    expect(card[0]).toMatchObject({ track: 0, keyframe: true });
    // It stands still, whatever is captured: sharpened, and no more.
    expect(card.filter(({ refinement }) => !refinement).length).toBeLessThan(3);
    const sizes = FakeEncoder.made.map(({ config }) => [config?.width, config?.height]);
    expect(new Set(sizes.map(String)).size).toBe(1);
    const paused = host.sent.length;
    host.pipeline.pause(false);
    await host.move(1);
    expect(host.sent[paused]).toMatchObject({ track: 0, keyframe: true });
    expect(host.rate(0, 0.9)).toBeGreaterThan(25);
  });

  it('does not leave, even where no card can be drawn', async () => {
    vi.stubGlobal(
      'OffscreenCanvas',
      class {
        getContext = () => null;
      },
    );
    const host = new Host();
    host.connect();
    await host.move(1);
    host.pipeline.pause(true);
    const before = host.sent.length;
    await host.move(2);
    expect(host.sent.length).toBe(before);
    host.pipeline.pause(false);
    await host.move(1);
    expect(host.sent[before]).toMatchObject({ track: 0, keyframe: true });
  });

  it('is left behind as a card when its source is gone', async () => {
    vi.stubGlobal('OffscreenCanvas', Canvas);
    const host = new Host();
    host.connect();
    await host.move(1);
    host.end();
    await vi.advanceTimersByTimeAsync(100);
    const before = host.sent.length;
    const delivered = host.pipeline.delivered();
    host.pipeline.pause(true);
    await host.wait(0.5);
    await delivered;
    expect(host.sent[before]).toMatchObject({ track: 0, keyframe: true });
    host.pipeline.stop();
  });
});

describe('an uplink that carries less than is wished for', () => {
  it('has the main track follow it, and go back to all of it', async () => {
    FakeEncoder.bytes = { key: 20_000, delta: 8_000 };
    const host = new Host();
    host.pipeline.setQuality({ ...DEFAULT_QUALITY, bitrate: 2_000_000 });
    host.connect();
    await host.move(5);
    expect(host.pipeline.limits.uplink).toBe(null);
    host.carries = 700_000;
    await host.move(8);
    expect(host.pipeline.limits.uplink).toBeGreaterThan(350_000);
    expect(host.pipeline.limits.uplink).toBeLessThan(800_000);
    const told = FakeEncoder.made.at(-1)?.config;
    expect(told?.bitrate).toBeLessThan(700_000);
    expect(told?.framerate).toBeLessThan(30);
    // No more than the path takes, however much the encoder makes of a picture.
    expect(host.rate(0, 4)).toBeLessThan(12);
    host.carries = 5_000_000;
    await host.move(10);
    expect(host.pipeline.limits.uplink).toBe(null);
    expect(host.rate(0, 1)).toBeGreaterThanOrEqual(29);
    expect(host.sent.filter(({ keyframe }) => keyframe)).toHaveLength(1);
  });

  it('is not looked at where the relay does not tell', async () => {
    const host = new Host();
    host.connect(2);
    host.carries = 100;
    await host.move(3);
    expect(host.pipeline.limits.uplink).toBe(null);
    expect(host.rate(0, 1)).toBeGreaterThanOrEqual(29);
  });
});

describe('an encoder that cannot keep up', () => {
  it('is asked for fewer pictures within three seconds, and for all of them again', async () => {
    FakeEncoder.deltaMs = 66;
    const host = new Host();
    host.connect();
    await host.move(3);
    expect(host.pipeline.limits).toMatchObject({ frameRate: 13, cheapCodec: false });
    FakeEncoder.deltaMs = 7;
    await host.move(20);
    expect(host.pipeline.limits.frameRate).toBe(null);
    expect(host.rate(0, 1)).toBeGreaterThanOrEqual(29);
  });

  it('makes way for another codec where too few would be left, unless the admin chose it', async () => {
    FakeEncoder.deltaMs = 400;
    const host = new Host();
    host.connect();
    await host.move(4);
    expect(host.pipeline.limits.cheapCodec).toBe(true);
    expect(FakeEncoder.made.at(-1)?.config?.codec).toMatch(/^avc1/);
    const other = new Host();
    other.pipeline.setQuality({ ...DEFAULT_QUALITY, codec: 'av1' });
    other.connect();
    await other.move(6);
    expect(other.pipeline.limits).toMatchObject({ cheapCodec: false, frameRate: 5 });
  });
});

describe('a source that becomes smaller than the crop', () => {
  const CROP = { x: 640, y: 360, width: 400, height: 200 };
  const picture = () => {
    const { width, height } = FakeEncoder.made.at(-1)?.config ?? {};
    return { width, height };
  };
  const live = async () => {
    const host = new Host();
    host.pipeline.setCrop(CROP);
    host.connect();
    await host.move(1);
    expect(FakeEncoder.last?.visibleRect).toEqual(CROP);
    return host;
  };

  it('is shown as far as it goes, in a picture of the same size', async () => {
    const host = await live();
    host.source = { width: 800, height: 480 };
    await host.move(1);
    expect(host.rate(0, 1)).toBeGreaterThanOrEqual(29);
    expect(host.frame?.copied).toEqual({ ...CROP, width: 160, height: 120 });
    expect(FakeEncoder.last?.visibleRect).toEqual({ ...CROP, x: 0, y: 0 });
    expect(picture()).toEqual({ width: 400, height: 200 });
    expect(host.pipeline.crop).toEqual(CROP);
    host.source = SOURCE;
    await host.move(1);
    expect(FakeEncoder.last?.visibleRect).toEqual(CROP);
    // The picture was of one size all the time, so that nothing had to begin anew.
    expect(host.sent.filter(({ keyframe }) => keyframe)).toHaveLength(1);
  });

  it('gives no picture while nothing of it is left, and the very same one afterwards', async () => {
    const host = await live();
    host.source = { width: 600, height: 720 };
    await host.move(1);
    const before = host.sent.length;
    const timers = vi.spyOn(globalThis, 'setTimeout');
    await host.move(2);
    host.pipeline.requestKeyframe(0);
    await host.move(1);
    expect(host.sent.length).toBe(before);
    // Nor is anything tried again and again meanwhile.
    expect(timers.mock.calls.length).toBeLessThan(3 * 30 * 2);
    host.source = SOURCE;
    await host.move(1);
    expect(FakeEncoder.last?.visibleRect).toEqual(CROP);
    // Viewers who joined meanwhile have asked for it.
    expect(host.sent[before]?.keyframe).toBe(true);
  });

  it('shows another crop at once, also of a picture at rest', async () => {
    const host = await live();
    host.source = { width: 800, height: 480 };
    await host.move(1);
    const part = { x: 700, y: 400, width: 300, height: 160 };
    host.pipeline.setCrop(part);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(host.frame?.copied).toEqual({ ...part, width: 100, height: 80 });
    expect(FakeEncoder.last?.visibleRect).toEqual({ ...part, x: 0, y: 0 });
    const inside = { x: 100, y: 100, width: 300, height: 160 };
    host.pipeline.setCrop(inside);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(FakeEncoder.last?.visibleRect).toEqual(inside);
  });
});
