import { expect, it } from 'vitest';
import type { PlayoutMode } from '../spread.ts';
import { Hold } from './hold.ts';

/** Frames every 33 ms, each so much later than the fastest; returns what was asked for meanwhile. */
function play(hold: Hold, late: (at: number) => number, from = 0, count = 300): (number | null)[] {
  return Array.from({ length: count }, (_, at) => {
    const captureMs = (from + at) * 33;
    const receivedMs = captureMs + 40 + late(at);
    hold.arrived({ captureMs, receivedMs }, receivedMs);
    return hold.targetMs;
  });
}

const SPREAD = (at: number) => (at % 3 === 0 ? 60 : 0);

it('asks for nothing where frames come evenly, whatever the viewer wants', () => {
  for (const mode of ['automatic', 'live', 'smooth'] satisfies PlayoutMode[]) {
    const hold = new Hold(mode);
    play(hold, (at) => at % 5);
    expect(hold.targetMs, mode).toBe(0);
  }
});

it('asks for the spread of arrivals, and for nothing when that is what the viewer wants', () => {
  const hold = new Hold('automatic');
  play(hold, SPREAD);
  expect(hold.targetMs).toBe(60);
  hold.mode = 'live';
  expect(hold.targetMs).toBe(0);
  play(hold, SPREAD, 300);
  expect(hold.targetMs).toBe(0);
});

it('leaves it to the browser where that does not tell when frames came', () => {
  const hold = new Hold('smooth');
  hold.arrived({ captureMs: 0, receivedMs: null }, 40);
  expect(hold.targetMs).toBeNull();
});

it('counts a frame as late as the one before it that it builds on', () => {
  const hold = new Hold('smooth');
  // Every tenth frame is 100 ms late; the next two were there before it.
  play(hold, (at) => (at % 10 === 0 ? 100 : 0));
  expect(hold.targetMs).toBeGreaterThan(60);
});

it('comes down in steps, and no more than once a second', () => {
  const hold = new Hold('automatic');
  play(hold, (at) => (at % 3 === 0 ? 400 : 0));
  const targets = play(hold, () => 0, 300, 1_500);
  const changes = targets.filter((target, at) => at > 0 && target !== targets[at - 1]);
  expect(changes.length).toBeGreaterThan(2);
  expect(changes.length).toBeLessThan(20);
  expect(hold.targetMs).toBe(0);
});

it('waits for no sound that is out of order itself', () => {
  const hold = new Hold('live');
  hold.soundMs = 3_700;
  play(hold, () => 0);
  expect(hold.targetMs).toBe(0);
});

it('asks for as long as the sound takes while that is heard, whatever the viewer wants', () => {
  for (const mode of ['automatic', 'live', 'smooth'] satisfies PlayoutMode[]) {
    const hold = new Hold(mode);
    play(hold, () => 0);
    expect(hold.targetMs, mode).toBe(0);
    // Frames are here 40 ms after their capture.
    hold.soundMs = 115;
    play(hold, () => 0, 300, 100);
    expect(hold.targetMs, mode).toBe(80);
    hold.soundMs = 30;
    play(hold, () => 0, 400, 100);
    expect(hold.targetMs, mode).toBe(0);
    hold.soundMs = 115;
    play(hold, () => 0, 500, 100);
    hold.soundMs = null;
    play(hold, () => 0, 600, 100);
    expect(hold.targetMs, mode).toBe(0);
  }
});
