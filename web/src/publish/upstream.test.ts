import { describe, expect, it } from 'vitest';
import { Upstream } from './upstream.ts';

const WISHED = 2_000_000;
const FRAME_MS = 1_000 / 30;

/** An uplink of so many bits a second behind a queue without an end, and a host that keeps to its limit. */
class Path {
  readonly upstream: Upstream;
  nowMs = 0;
  /** How long the queue of the path was, each time a frame was given to it. */
  queuesMs: number[] = [];
  frames = 0;
  #freeMs = 0;
  #under: { total: number; atMs: number; size: number; takesMs: number }[] = [];
  #given = 0;
  #reportMs = 0;
  #unreadMs = Number.POSITIVE_INFINITY;
  #frameMs = 0;
  #came = 0;

  constructor(public wayMs = 20) {
    this.upstream = new Upstream(WISHED, wayMs);
  }

  /** `bytes`: of one frame; as many as the limit gives when left out. */
  run(seconds: number, bits: number, bytes?: number): void {
    const endMs = this.nowMs + seconds * 1_000;
    for (; this.nowMs < endMs; this.nowMs += 1) {
      if (this.nowMs >= this.#frameMs) {
        this.#frameMs += FRAME_MS;
        if (!this.upstream.full) this.#send(bits, bytes);
      }
      if (this.nowMs >= this.#reportMs) this.#report();
    }
  }

  /** The relay does nothing for a moment, says then what it has read first, and reads the rest at once. */
  pause(seconds: number): void {
    this.#reportMs = this.nowMs + seconds * 1_000;
    this.#unreadMs = this.nowMs + (seconds * 1_000) / 3;
  }

  /** A loss holds up what has come behind it. */
  stall(seconds: number): void {
    this.#reportMs = this.nowMs + seconds * 1_000;
    this.#freeMs = Math.max(this.#freeMs, this.nowMs) + seconds * 500;
  }

  #send(bits: number, bytes?: number): void {
    const rate = Math.min(this.upstream.limit ?? WISHED, WISHED);
    const size = bytes ?? (rate * 0.9 * FRAME_MS) / 8_000;
    this.frames += 1;
    this.#given += size;
    this.#freeMs = Math.max(this.#freeMs, this.nowMs) + (size * 8_000) / bits;
    this.queuesMs.push(this.#freeMs - this.nowMs);
    this.#under.push({
      total: this.#given,
      atMs: this.#freeMs + this.wayMs,
      size,
      takesMs: (size * 8_000) / bits,
    });
    this.upstream.sent(size, this.nowMs);
  }

  #report(): void {
    let came = this.#came;
    const readMs = Math.min(this.nowMs, this.#unreadMs);
    this.#unreadMs = Number.POSITIVE_INFINITY;
    while (this.#under[0] !== undefined && this.#under[0].atMs <= readMs) {
      came = this.#under.shift()?.total ?? 0;
    }
    const next = this.#under[0];
    if (next !== undefined) {
      // A part of a frame counts as well.
      const left = Math.min(1, (next.atMs - readMs) / next.takesMs);
      came = Math.max(came, Math.floor(next.total - next.size * left));
    }
    if (came <= this.#came) return;
    this.#came = came;
    this.#reportMs = this.nowMs + 100;
    this.upstream.arrived(came, this.nowMs);
  }

  get longestMs(): number {
    return Math.max(...this.queuesMs);
  }
}

describe('an uplink that carries what is wished for', () => {
  it('is never limited', () => {
    for (const wayMs of [5, 50, 150]) {
      const path = new Path(wayMs);
      path.run(20, 5_000_000);
      expect(path.upstream.limit).toBe(null);
      expect(path.frames).toBeGreaterThanOrEqual(599);
    }
  });

  it('is not limited where a machine stands still for moments', () => {
    for (const seconds of [0.3, 0.5, 0.9]) {
      const path = new Path();
      path.run(3, 20_000_000, 1_000);
      for (let pauses = 0; pauses < 5; pauses += 1) {
        path.pause(seconds);
        path.run(seconds + 0.4, 20_000_000, 1_000);
        expect(path.upstream.limit).toBe(null);
      }
    }
  });

  it('is not limited for a keyframe now and then', () => {
    const path = new Path();
    path.run(5, 4_000_000);
    path.run(0.03, 4_000_000, 180_000);
    path.run(5, 4_000_000);
    expect(path.upstream.limit).toBe(null);
  });
});

describe('an uplink that carries less', () => {
  it('is filled to no more than a moment, and used', () => {
    for (const bits of [300_000, 700_000, 1_500_000]) {
      const path = new Path();
      path.run(5, bits);
      path.queuesMs = [];
      path.frames = 0;
      path.run(20, bits);
      expect(path.longestMs).toBeLessThan(420);
      expect(path.upstream.limit).toBeGreaterThan(bits * 0.7);
      expect(path.upstream.limit).toBeLessThan(bits * 1.25);
      expect(path.upstream.carries).toBeLessThan(bits * 1.05);
      expect(path.frames / 20).toBeGreaterThan(20);
    }
  });

  it('has no queue that becomes part of the way, however long the first keyframe takes', () => {
    const path = new Path();
    path.run(0.03, 300_000, 190_000);
    // An encoder that makes twice of what the path carries, whatever it is told.
    path.run(10, 300_000, 2_500);
    path.queuesMs = [];
    path.run(60, 300_000, 2_500);
    expect(path.longestMs).toBeLessThan(500);
  });

  it('is known again when its way has become longer', () => {
    const path = new Path(20);
    path.run(10, 3_000_000, 1_000);
    path.wayMs = 300;
    path.run(60, 3_000_000, 1_000);
    path.frames = 0;
    path.run(10, 3_000_000, 1_000);
    expect(path.frames / 10).toBeGreaterThan(28);
    expect(path.upstream.limit ?? WISHED).toBeGreaterThan(500_000);
  });

  it('is not starved for a moment in which losses held everything up', () => {
    const path = new Path();
    path.run(10, 3_000_000);
    path.run(0.5, 700_000);
    path.stall(1);
    path.run(6, 700_000);
    expect(path.upstream.limit).toBeGreaterThan(450_000);
  });

  it('is noticed within a second or two, and forgotten within ten', () => {
    const path = new Path();
    path.run(10, 3_000_000);
    path.run(2, 700_000);
    expect(path.upstream.limit).toBeLessThan(750_000);
    path.run(18, 700_000);
    path.run(10, 3_000_000);
    expect(path.upstream.limit ?? WISHED).toBeGreaterThanOrEqual(WISHED);
  });
});
