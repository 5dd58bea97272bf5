import { describe, expect, it } from 'vitest';
import { type PlayoutMode, Spread } from './spread.ts';

/** Frames every 33 ms with these delays, on a path that has just begun or has been there. */
class Script {
  readonly spread: Spread;
  #nowMs = 0;

  constructor(mode: PlayoutMode = 'automatic', begun = true) {
    this.spread = new Spread(mode);
    if (begun) this.run(31, even);
  }

  run(frames: number, delayMs: (at: number) => number): number {
    for (let at = 0; at < frames; at += 1) {
      this.#nowMs += 33;
      this.spread.arrived(delayMs(at), this.#nowMs);
    }
    return Math.round(this.spread.bufferMs);
  }
}

const even = () => 50;
const uneven = (at: number) => (at % 3 === 0 ? 110 : 50);

describe('how long is waited', () => {
  it('not at all where frames come evenly, whatever the viewer wants', () => {
    for (const mode of ['automatic', 'smooth', 'live'] as const) {
      const script = new Script(mode);
      expect(script.run(300, (at) => 50 + (at % 4))).toBe(0);
      expect(script.spread.offsetMs).toBeNull();
    }
  });

  it('as long as the late ones are late, so that all are shown as late as those', () => {
    const script = new Script();
    expect(script.run(300, uneven)).toBe(60);
    expect(script.spread.offsetMs).toBeCloseTo(110);
  });

  it('never where the viewer wants to be closest to live, and at once where that changes', () => {
    const script = new Script('live');
    expect(script.run(300, uneven)).toBe(0);
    script.spread.mode = 'smooth';
    expect(Math.round(script.spread.bufferMs)).toBe(60);
    script.spread.mode = 'live';
    expect(script.spread.offsetMs).toBeNull();
  });

  it('up within a second or two, down slowly', () => {
    const script = new Script();
    script.run(600, even);
    expect(script.run(45, uneven)).toBe(60);
    script.run(555, uneven);
    expect(script.run(60, even)).toBe(60);
    expect(script.run(600, even)).toBe(0);
  });

  it('not for the frames of a beginning, which are late for reasons of their own', () => {
    const script = new Script('automatic', false);
    expect(script.run(30, (at) => (at % 3 === 0 ? 400 : 50))).toBe(0);
    expect(script.run(60, even)).toBe(0);
  });

  it('not because of less than about a frame, which a busy machine adds, unless it is to be smooth', () => {
    const jitter = (at: number) => (at % 3 === 0 ? 80 : 50);
    expect(new Script('automatic').run(300, jitter)).toBe(0);
    expect(new Script('smooth').run(300, jitter)).toBe(30);
  });

  it('shrinks by no more than a tenth of the time that passes', () => {
    const script = new Script();
    script.run(600, uneven);
    let before = script.spread.bufferMs;
    for (let frame = 0; frame < 900; frame += 1) {
      script.run(1, even);
      // The last millisecond goes at once.
      expect(before - script.spread.bufferMs).toBeLessThan(3.3 + 1);
      before = script.spread.bufferMs;
    }
  });

  it('does not wait for a rare late frame', () => {
    const script = new Script();
    expect(script.run(900, (at) => (at % 90 === 0 ? 150 : 50))).toBe(0);
  });

  it('does not wait for a single moment, even at the beginning', () => {
    const script = new Script();
    script.run(10, even);
    expect(script.run(15, (at) => 450 - at * 25)).toBe(0);
    expect(script.run(60, even)).toBe(0);
  });

  it('never longer than 600 ms, and never longer than any frame was late', () => {
    expect(new Script('smooth').run(600, (at) => (at % 2 === 0 ? 50 : 640))).toBe(590);
    expect(new Script('smooth').run(600, (at) => 50 + (at % 20) * 40)).toBeLessThanOrEqual(600);
  });
});

describe('what is no jitter', () => {
  it('a stall of seconds, whose frames come together', () => {
    const script = new Script('smooth');
    script.run(300, even);
    expect(script.run(63, (at) => Math.max(50, 2_050 - at * 33))).toBe(0);
    expect(script.run(30, even)).toBe(0);
  });

  it('a path that became longer for good, and one that became shorter', () => {
    const script = new Script('smooth');
    script.run(300, even);
    script.run(100, () => 900);
    expect(script.run(30, () => 900)).toBe(0);
    expect(script.spread.excessMs(900)).toBe(0);
    expect(script.run(300, even)).toBeLessThanOrEqual(600);
    expect(script.run(2_000, even)).toBe(0);
  });

  it('clocks that drift apart', () => {
    for (const ppm of [-200, 200]) {
      const script = new Script('smooth');
      expect(script.run(9_000, (at) => 500 + (at * 33 * ppm) / 1e6)).toBe(0);
    }
  });
});

it('knows how late a frame is against the fastest recent ones', () => {
  const script = new Script();
  expect(script.spread.excessMs(70)).toBe(0);
  script.run(10, uneven);
  expect([script.spread.excessMs(170), script.spread.excessMs(20)]).toEqual([120, 0]);
});
