import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { localUs } from '../session/index.ts';
import { candidates } from './codecs.ts';
import type { Plan } from './crop.ts';
import { COST_MS, FakeEncoder, FakeFrame, SOURCE, stubEncoders } from './fake-encoder.ts';
import { Lane } from './lane.ts';
import { DEFAULT_QUALITY } from './quality.ts';
import { type SentFrame, Uplink } from './uplink.ts';

const FRAME_MS = 1_000 / 30;
const PLAN: Plan = {
  rect: SOURCE,
  output: { width: 1280, height: 720 },
};

/** A lane at work on a picture that moves thirty times a second, and what left it when. */
class Bench {
  readonly sent: (SentFrame & { atMs: number })[] = [];
  /** When the newest picture so far left, each time a newer one did. */
  readonly newPicturesMs: number[] = [];
  readonly lane: Lane;
  #kept: { frame: VideoFrame; capturedUs: number } | null = null;
  #newestUs = 0;

  constructor() {
    this.lane = new Lane({
      ways: candidates,
      onEncoded: () => undefined,
      onReady: () => this.#work(),
      onError: () => undefined,
      onUnable: () => undefined,
    });
    this.lane.connect(this.#uplink());
  }

  /** Largest time between two new pictures. */
  get longestStillMs(): number {
    const gaps = this.newPicturesMs
      .slice(1)
      .map((at, index) => at - (this.newPicturesMs[index] ?? 0));
    return Math.max(...gaps);
  }

  get groups(): number {
    return this.sent.filter(({ keyframe }) => keyframe).length;
  }

  async move(seconds: number): Promise<void> {
    for (let frame = 0; frame < seconds * 30; frame += 1) {
      const capturedUs = localUs();
      const frame = new FakeFrame(null, { timestamp: capturedUs }) as unknown as VideoFrame;
      this.#kept = { frame, capturedUs };
      this.lane.changed();
      this.#work();
      await vi.advanceTimersByTimeAsync(FRAME_MS);
    }
  }

  async rest(seconds: number): Promise<void> {
    for (let step = 0; step < seconds * 30; step += 1) {
      this.#work();
      await vi.advanceTimersByTimeAsync(FRAME_MS);
    }
  }

  #work(): void {
    const kept = this.#kept;
    if (kept === null) return;
    this.lane.work({ kept, plan: PLAN, yields: false, full: false, nowMs: performance.now() });
  }

  #uplink(): Uplink {
    const uplink = new Uplink({
      carrier: {
        clock: { offsetUs: 0, rttUs: 40_000 },
        welcome: { version: 2 },
        openGroup: async () => new WritableStream<Uint8Array>().getWriter(),
      },
      epoch: 1,
      sealing: null,
      track: 0,
      onGiven: () => undefined,
      onSent: (frame) => {
        this.sent.push({ ...frame, atMs: performance.now() });
        this.#work();
      },
      onKeyframeNeeded: () => this.lane.wantKeyframe(),
    });
    const send = uplink.send.bind(uplink);
    // What a viewer sees: a picture that is older than the one before is nothing new.
    uplink.send = (picture) => {
      if (picture.capturedUs > this.#newestUs) this.newPicturesMs.push(performance.now());
      this.#newestUs = Math.max(this.#newestUs, picture.capturedUs);
      return send(picture);
    };
    return uplink;
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

/** After the first keyframe, which has nothing to hide behind. */
async function begun(): Promise<Bench> {
  const bench = new Bench();
  await bench.move(2);
  bench.newPicturesMs.length = 0;
  return bench;
}

describe('a group that ends while the picture moves', () => {
  it('is followed by the next one without a still', async () => {
    const bench = await begun();
    await bench.move(60);
    expect(bench.groups).toBe(4);
    expect(bench.longestStillMs).toBeLessThanOrEqual(67);
  });

  it('gives one keyframe for any number of requests', async () => {
    const bench = await begun();
    for (let request = 0; request < 4; request += 1) {
      bench.lane.wantKeyframe();
      await bench.move(1 / 30);
    }
    await bench.move(1);
    expect(bench.groups).toBe(2);
    expect(bench.longestStillMs).toBeLessThanOrEqual(67);
  });

  it('keeps the order of capture times, which never fall', async () => {
    const bench = await begun();
    bench.lane.wantKeyframe();
    await bench.move(1);
    const key = bench.sent.findLastIndex(({ keyframe }) => keyframe);
    expect(bench.sent[key + 1]?.atMs).toBe(bench.sent[key]?.atMs);
  });

  it('has a single keyframe even where there is no second encoder', async () => {
    const bench = await begun();
    FakeEncoder.most = 1;
    await bench.move(20);
    expect(bench.groups).toBe(2);
    expect(FakeEncoder.made[0]?.keyframes).toBe(2);
    expect(bench.longestStillMs).toBeLessThan(COST_MS.key + 2 * FRAME_MS);
  });

  it('waits for no second encoder that takes too long', async () => {
    const bench = await begun();
    FakeEncoder.keyMs = 60_000;
    bench.lane.wantKeyframe();
    await bench.move(2);
    FakeEncoder.keyMs = COST_MS.key;
    await bench.move(3);
    expect(bench.groups).toBe(2);
  });
});

describe('a keyframe that costs little, or that nobody would notice', () => {
  it('needs no second encoder', async () => {
    FakeEncoder.keyMs = 11;
    const bench = await begun();
    bench.lane.wantKeyframe();
    await bench.move(1);
    expect([bench.groups, FakeEncoder.made.length]).toEqual([2, 1]);
  });

  it('comes at once from the only encoder while the picture rests', async () => {
    const bench = await begun();
    await bench.rest(1);
    bench.lane.wantKeyframe();
    await bench.rest(1);
    expect([bench.groups, FakeEncoder.made.length]).toEqual([2, 1]);
  });
});

describe('a lane with a limit', () => {
  it('sends nothing while its keyframe takes the path, and goes on with what is new then', async () => {
    FakeEncoder.bytes = { key: 100_000, delta: 2_000 };
    const bench = new Bench();
    bench.lane.limit({ held: 800_000 });
    await bench.move(3);
    const [key, next] = bench.sent;
    expect(key?.keyframe).toBe(true);
    expect((next?.atMs ?? 0) - (key?.atMs ?? 0)).toBeGreaterThan(850);
    expect((next?.atMs ?? 0) - (key?.atMs ?? 0)).toBeLessThan(1_050);
    // What is smaller than the limit is not thinned out.
    const before = bench.sent.length;
    await bench.move(2);
    expect(bench.sent.length - before).toBeGreaterThanOrEqual(59);
  });

  it('has fewer pictures where each takes more than its share', async () => {
    FakeEncoder.bytes = { key: 5_000, delta: 5_000 };
    const bench = new Bench();
    bench.lane.limit({ held: 400_000 });
    await bench.move(10);
    const bits = bench.sent.reduce((sum, { bytes }) => sum + bytes * 8, 0);
    expect(bits / 10).toBeLessThan(430_000);
    expect(bench.sent.length / 10).toBeGreaterThan(9);
    // No sooner a keyframe that is asked for: it would wait behind what is on its way.
    FakeEncoder.bytes = { key: 50_000, delta: 5_000 };
    bench.lane.wantKeyframe();
    await bench.move(0.5);
    bench.lane.wantKeyframe();
    await bench.move(0.4);
    expect(bench.groups).toBe(2);
  });
});

describe('a picture at rest on a narrow path', () => {
  it('is made once more, with more bits, and once only', async () => {
    FakeEncoder.bytes = { key: 40_000, delta: 500 };
    const bench = new Bench();
    bench.lane.setQuality({ ...DEFAULT_QUALITY, bitrate: 300_000 });
    bench.lane.limit({ held: 800_000 });
    await bench.move(2);
    const [encoder] = FakeEncoder.made;
    const before = bench.groups;
    await bench.rest(2);
    expect(bench.groups).toBe(before);
    await bench.rest(2);
    expect(bench.groups).toBe(before + 1);
    expect(encoder?.bitrates).toEqual([300_000, 3_000_000, 300_000]);
    await bench.rest(20);
    await bench.move(1);
    expect(bench.groups).toBe(before + 1);
    expect(encoder?.config?.bitrate).toBe(300_000);
  });

  it('is left as it is where it moves on before that', async () => {
    FakeEncoder.bytes = { key: 40_000, delta: 2_000 };
    const bench = new Bench();
    bench.lane.limit({ held: 800_000 });
    await bench.move(2);
    const before = bench.groups;
    for (let pause = 0; pause < 5; pause += 1) {
      await bench.rest(1);
      await bench.move(0.2);
    }
    expect(bench.groups).toBe(before);
  });

  it('is sharpened as ever on a path that is wide enough', async () => {
    const bench = await begun();
    const before = bench.groups;
    await bench.rest(10);
    expect(bench.groups).toBe(before);
  });
});

describe('another quality', () => {
  it('of the same size and codec goes on without a keyframe', async () => {
    const bench = await begun();
    bench.lane.setQuality({ ...DEFAULT_QUALITY, bitrate: 700_000, frameRate: 15 });
    await bench.move(2);
    expect([bench.groups, FakeEncoder.made.length]).toEqual([1, 1]);
    expect(FakeEncoder.made[0]?.config?.bitrate).toBe(700_000);
  });

  it('in layers, or in another codec, begins with one', async () => {
    const bench = await begun();
    bench.lane.setQuality({ ...DEFAULT_QUALITY, layers: 2 });
    await bench.move(1);
    expect([bench.groups, FakeEncoder.made.length]).toEqual([2, 1]);
    bench.lane.setQuality({ ...DEFAULT_QUALITY, codec: 'vp8' });
    await bench.move(1);
    expect([bench.groups, FakeEncoder.made.length]).toEqual([3, 2]);
  });
});
