/** What a viewer sees of paths that lose, jitter and stall, on virtual time. */

import { beforeAll, describe, expect, it, vi } from 'vitest';
import { HELD_MAX } from './display.ts';
import {
  type Figures,
  figures,
  frameArrivals,
  type Path,
  type Setting,
  screen,
} from './fake-path.ts';
import type { PlayoutMode } from './spread.ts';

beforeAll(() => {
  // Minutes of virtual time each; a busy machine takes its own.
  vi.setConfig({ testTimeout: 30_000 });
  const chunk = class {
    constructor(init: EncodedVideoChunkInit) {
      Object.assign(this, init);
    }
  };
  vi.stubGlobal('EncodedVideoChunk', chunk);
});

const SEEDS = [1, 2, 3];
/** Both choices know a path after so long. */
const SETTLED_MS = 5_000;

type Row = Omit<Path, 'seed' | 'seconds'>;

/** The worst of all seeds; 40 s each. */
function worst(mode: PlayoutMode, row: Row, setting?: Setting): Figures & { spreadMs: number } {
  const all = SEEDS.map((seed) => {
    const { shown } = screen(mode, frameArrivals({ ...row, seed, seconds: 40 }), setting);
    return figures(shown, SETTLED_MS);
  });
  return {
    framesPerSecond: Math.min(...all.map(({ framesPerSecond }) => framesPerSecond)),
    p50Ms: Math.max(...all.map(({ p50Ms }) => p50Ms)),
    p95Ms: Math.max(...all.map(({ p95Ms }) => p95Ms)),
    freezeMs: Math.max(...all.map(({ freezeMs }) => freezeMs)),
    spreadMs: Math.max(...all.map(({ p95Ms, p50Ms }) => p95Ms - p50Ms)),
  };
}

/** Encoding, half of the round trip, decoding. */
const baseMs = (rttMs: number) => 10 + rttMs / 2 + 6;

describe('a picture with sound', () => {
  const path = frameArrivals({ rttMs: 20, seconds: 40, seed: 1 });

  it.each(['automatic', 'live', 'smooth'] as const)(
    'is shown when the sound is heard: %s',
    (mode) => {
      const { shown, readyMs } = screen(mode, path, { soundMs: () => 90 });
      const { p50Ms, p95Ms, freezeMs, framesPerSecond } = figures(shown, SETTLED_MS);
      expect(Math.abs(p50Ms - 90)).toBeLessThan(10);
      expect(Math.abs(p95Ms - 90)).toBeLessThan(20);
      expect(framesPerSecond).toBeCloseTo(30, 0);
      expect(freezeMs).toBeLessThan(60);
      // What the sound is told does not grow by what the picture waits for it.
      expect(readyMs).toBeLessThan(baseMs(20) + 5);
    },
  );

  it('is delayed no more when nothing is heard, and as long as nothing is', () => {
    const silent = figures(screen('live', path, { soundMs: () => null }).shown, SETTLED_MS);
    expect(silent.p95Ms).toBeLessThan(baseMs(20) + 1);
    const muted = screen('live', path, { soundMs: (nowMs) => (nowMs < 20_000 ? 120 : null) });
    expect(figures(muted.shown, 21_000).p95Ms).toBeLessThan(baseMs(20) + 1);
  });

  it('does not wait for sound that is heard earlier', () => {
    const { shown } = screen('live', path, { soundMs: () => 15 });
    expect(figures(shown, SETTLED_MS).p95Ms).toBeLessThan(baseMs(20) + 1);
  });
});

describe('a clean path', () => {
  it.each(['automatic', 'live', 'smooth'] as const)('adds nothing to the delay: %s', (mode) => {
    const { framesPerSecond, p95Ms, freezeMs } = worst(mode, { rttMs: 100 });
    expect(framesPerSecond).toBeCloseTo(30);
    expect(p95Ms).toBeLessThan(baseMs(100) + 1);
    expect(freezeMs).toBeLessThan(34);
  });

  it('shows 60 a second where the display has as many', () => {
    const { framesPerSecond, p95Ms } = worst('automatic', { rttMs: 60, framesPerSecond: 60 });
    expect(framesPerSecond).toBeCloseTo(60, 0);
    expect(p95Ms).toBeLessThan(baseMs(60) + 17);
  });
});

describe('loss at 100 ms', () => {
  it.each([
    { loss: 0.01, fps: 29.5, p95: 150, freeze: 300 },
    { loss: 0.02, fps: 29, p95: 160, freeze: 700 },
    { loss: 0.05, fps: 28, p95: 200, freeze: 700 },
  ])('smooth: evenly, $loss', ({ loss, fps, p95, freeze }) => {
    const seen = worst('smooth', { rttMs: 100, loss });
    expect(seen.framesPerSecond).toBeGreaterThan(fps);
    expect(seen.p95Ms).toBeLessThan(baseMs(100) + p95);
    expect(seen.freezeMs).toBeLessThan(freeze);
    if (loss === 0.01) expect(seen.spreadMs).toBeLessThanOrEqual(20);
  });

  it.each([
    { loss: 0.01, fps: 28, p50: 15, p95: 150 },
    { loss: 0.02, fps: 27, p50: 60, p95: 200 },
    { loss: 0.05, fps: 24, p50: 150, p95: 350 },
  ])('live: nearly every frame, and no later than it must be, $loss', (row) => {
    const seen = worst('live', { rttMs: 100, loss: row.loss });
    expect(seen.framesPerSecond).toBeGreaterThan(row.fps);
    expect(seen.p50Ms).toBeLessThan(baseMs(100) + row.p50);
    expect(seen.p95Ms).toBeLessThan(baseMs(100) + row.p95);
  });

  it('automatic: as even as smooth, or nearly', () => {
    const seen = worst('automatic', { rttMs: 100, loss: 0.02 });
    expect(seen.framesPerSecond).toBeGreaterThan(29);
    expect(seen.spreadMs).toBeLessThan(30);
  });

  it('shows 60 a second although there is no time between to catch up in', () => {
    const row = { rttMs: 60, loss: 0.01, framesPerSecond: 60 };
    expect(worst('live', row).framesPerSecond).toBeGreaterThan(50);
    expect(worst('live', row).p95Ms).toBeLessThan(baseMs(60) + 170);
  });
});

describe('jitter of up to 60 ms', () => {
  it.each(['automatic', 'smooth'] as const)('is evened out: %s', (mode) => {
    const seen = worst(mode, { rttMs: 60, jitterMs: 60 });
    expect(seen.framesPerSecond).toBeGreaterThan(29);
    expect(seen.p95Ms).toBeLessThan(baseMs(60) + 120);
    expect(seen.spreadMs).toBeLessThan(20);
  });
});

describe('a stall of 2 s', () => {
  it.each(['automatic', 'live', 'smooth'] as const)('is caught up with at once: %s', (mode) => {
    const stall = { atMs: 15_000, ms: 2_000 };
    const arrivals = frameArrivals({ rttMs: 60, stall, seconds: 30, seed: 1 });
    const { shown, bufferMs, mostOpen } = screen(mode, arrivals);
    const after = figures(shown, 17_600);
    expect(after.p95Ms).toBeLessThan(baseMs(60) + 20);
    expect(after.framesPerSecond).toBeCloseTo(30, 0);
    expect(figures(shown).freezeMs).toBeLessThan(2_500);
    expect(bufferMs).toBe(0);
    expect(mostOpen).toBeLessThanOrEqual(HELD_MAX + 1);
  });
});

it('does not let delay grow while clocks drift apart', () => {
  for (const driftPpm of [-200, 200]) {
    const arrivals = frameArrivals({ rttMs: 60, loss: 0.01, driftPpm, seconds: 120, seed: 2 });
    const { shown } = screen('smooth', arrivals);
    // Against the drifting clock itself.
    const ages = shown.map(({ captureMs, shownMs }) => ({
      captureMs: captureMs / (1 + driftPpm / 1e6),
      shownMs,
    }));
    expect(figures(ages, 100_000).p95Ms).toBeLessThan(baseMs(60) + 150);
  }
});

it('lends few frames of the decoder, however many wait', () => {
  const arrivals = frameArrivals({ rttMs: 300, loss: 0.03, seconds: 20, seed: 3 });
  for (const setting of [{}, { depth: 4 }, { decodeMs: 25 }]) {
    const { mostOpen, bufferMs, left } = screen('smooth', arrivals, setting);
    expect(bufferMs).toBeGreaterThan(250);
    expect(mostOpen).toBeLessThanOrEqual(HELD_MAX + 1);
    expect(left).toBe(0);
  }
});

it('plays on in full where a hidden page is given no display times', () => {
  const seen = worst('smooth', { rttMs: 100, loss: 0.01 }, { displayMs: null });
  expect(seen.framesPerSecond).toBeGreaterThan(29);
});
