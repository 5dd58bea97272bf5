import { describe, expect, it } from 'vitest';
import { type Decision, Pacing, type Timing, type Wait } from './pacing.ts';

/** Receives frames captured every 33 ms, the first at `startMs`, at the given times. */
function receive(pacing: Pacing, startMs: number, atMs: number[], epoch = 1): Timing[] {
  return atMs.map((ms, at) => pacing.received(epoch, (startMs + at * 33) * 1_000, ms, null));
}

const NO_WAIT = { dueInMs: 0, bufferMs: 0 };

/** What is due is drawn at once. */
function decide(
  pacing: Pacing,
  frame: Timing | undefined,
  nowMs: number,
  wait: Wait = NO_WAIT,
): Decision {
  if (frame === undefined) throw new RangeError('no such frame');
  const decision = pacing.decide(frame, nowMs, wait);
  if (decision.action === 'show') pacing.drawn(frame, nowMs, wait.bufferMs);
  return decision;
}

const SHOW = { action: 'show', ms: 0 };

/** A first picture, long before the rest. */
function pictured(pacing: Pacing): void {
  pacing.drawn(pacing.received(1, 0, 0, null), 0, 0);
}

describe('pacing', () => {
  it('draws live frames as they come, whatever their age', () => {
    const pacing = new Pacing();
    for (let turn = 0; turn < 30; turn += 1) {
      const frame = pacing.received(1, turn * 33_000, 5_000 + turn * 33, 0);
      expect(decide(pacing, frame, 5_010 + turn * 33)).toEqual(SHOW);
    }
  });

  it('shows no keyframe that was made while the group before went on', () => {
    const pacing = new Pacing();
    decide(pacing, pacing.received(1, 1_000_000, 5_000, 0), 5_000);
    const unseen = pacing.received(1, 1_000_012, 5_030, 0);
    const next = pacing.received(1, 1_033_000, 5_031, 0);
    expect(decide(pacing, unseen, 5_045).action).toBe('drop');
    expect(decide(pacing, next, 5_049)).toEqual(SHOW);
  });

  it('shows nothing but the newest of a backlog', () => {
    const pacing = new Pacing();
    pictured(pacing);
    const frames = receive(pacing, 1_000, new Array(60).fill(1_000));
    const actions = frames.map((frame, at) => decide(pacing, frame, 1_000 + at * 4).action);
    expect(actions.slice(0, 58)).toEqual(new Array(58).fill('drop'));
    expect(decide(pacing, frames[59], 1_240)).toEqual({ action: 'settle', ms: 40 });
  });

  it('shows one picture of a backlog to a page that has none, and then the newest', () => {
    const pacing = new Pacing();
    const frames = receive(pacing, 0, new Array(60).fill(0));
    const drawnAt = frames.flatMap((frame, at) =>
      decide(pacing, frame, at * 4).action === 'show' ? [at * 4] : [],
    );
    expect(drawnAt).toEqual([52]);
  });

  it('shows a picture now and then while it cannot catch up', () => {
    const pacing = new Pacing();
    pictured(pacing);
    const frames = receive(pacing, 1_000, new Array(200).fill(1_000));
    const drawnAt = frames.flatMap((frame, at) =>
      decide(pacing, frame, 1_000 + at * 20).action === 'show' ? [at * 20] : [],
    );
    expect(drawnAt.length).toBeGreaterThan(5);
    expect(drawnAt.slice(0, 2)).toEqual([500, 1_020]);
  });

  it('never goes back behind the shown picture, not even on a new session', () => {
    const pacing = new Pacing();
    const [, , third] = receive(pacing, 0, [0, 33, 66]);
    decide(pacing, third, 70);
    pacing.restart();
    const [old, , same] = receive(pacing, 0, [1_000, 1_001, 1_002]);
    expect(decide(pacing, old, 1_003).action).toBe('drop');
    expect(decide(pacing, same, 1_004).action).not.toBe('drop');
  });

  it('shows a new epoch at once, even if its clock is a little behind', () => {
    const pacing = new Pacing();
    const [first] = receive(pacing, 1_000, [0]);
    decide(pacing, first, 1);
    const [taken] = receive(pacing, 900, [500], 2);
    expect(decide(pacing, taken, 501)).toEqual(SHOW);
  });

  it('shows the first picture of a publisher that is back although its next ones are there', () => {
    const pacing = new Pacing();
    pictured(pacing);
    const frames = receive(pacing, 5_000, new Array(8).fill(9_000), 2);
    expect(decide(pacing, frames[0], 9_150)).toEqual(SHOW);
    expect(decide(pacing, frames[1], 9_155).action).toBe('drop');
  });

  it('never goes back in time, however long another track lags, but for a new session', () => {
    const pacing = new Pacing();
    pacing.drawn(pacing.received(1, 5_000_000, 5_000, null), 5_000, 0);
    const older = Array.from({ length: 40 }, (_, at) => 4_000 + at * 20);
    const actions = older.map((ms, at) => {
      const frame = pacing.received(1, ms * 1_000, 5_010 + at * 33, 0);
      return decide(pacing, frame, 5_020 + at * 33).action;
    });
    expect(new Set(actions)).toEqual(new Set(['drop']));
    expect(decide(pacing, pacing.received(1, 5_001_000, 6_400, 0), 6_401).action).toBe('show');
    pacing.restart();
    const first = pacing.received(1, 1_000_000, 6_500, null);
    decide(pacing, first, 6_501);
    expect(decide(pacing, first, 7_002)).toEqual(SHOW);
  });

  it('rushes through the past of a publisher that came back meanwhile', () => {
    const pacing = new Pacing();
    pictured(pacing);
    const frames = receive(pacing, 5_000, new Array(60).fill(9_000), 2);
    expect(decide(pacing, frames[0], 9_010).action).toBe('drop');
  });

  it('shows a frame at its time', () => {
    const pacing = new Pacing();
    const [frame] = receive(pacing, 0, [0]);
    const wait = { dueInMs: 25, bufferMs: 60 };
    expect(decide(pacing, frame, 1, wait)).toEqual({ action: 'show', ms: 25 });
  });

  it('leaves out none of the frames that a repaired loss held back', () => {
    const pacing = new Pacing();
    pictured(pacing);
    const late = [0, 1, 2, 3, 4].map((at) => {
      return pacing.received(1, (1_000 + at * 33) * 1_000, 1_200, 150 - at * 33);
    });
    const actions = late.map((frame, at) => decide(pacing, frame, 1_210 + at * 16).action);
    expect(actions).toEqual(['show', 'show', 'show', 'show', 'show']);
  });

  it('does not fast-forward through more than half a second', () => {
    const pacing = new Pacing();
    pictured(pacing);
    const late = Array.from({ length: 30 }, (_, at) => {
      return pacing.received(1, (1_000 + at * 33) * 1_000, 2_000, 990 - at * 33);
    });
    const shown = late.filter((frame, at) => decide(pacing, frame, 2_000 + at).action === 'show');
    expect(shown).toEqual(late.slice(-2));
  });

  it('skips when the display cannot catch up, however little it is behind', () => {
    const pacing = new Pacing();
    pictured(pacing);
    let shown = 0;
    // The newest is always 165 ms ahead, as where every display time has its frame.
    for (let at = 0; at < 60; at += 1) {
      const frame = { epoch: 1, captureUs: (1_000 + at * 33) * 1_000, far: false, rushed: false };
      pacing.received(1, frame.captureUs + 165_000, 1_200 + at * 33, 0);
      if (decide(pacing, frame, 1_200 + at * 33).action === 'show') shown += 1;
    }
    expect(shown).toBeGreaterThan(15);
    expect(shown).toBeLessThan(25);
  });

  it('takes frames that are held back on purpose for no backlog', () => {
    const pacing = new Pacing();
    pictured(pacing);
    for (let at = 0; at < 60; at += 1) {
      const frame = { epoch: 1, captureUs: (1_000 + at * 33) * 1_000, far: false, rushed: false };
      pacing.received(1, frame.captureUs + 530_000, 1_600 + at * 33, 0);
      const wait = { dueInMs: 0, bufferMs: 530 };
      expect(decide(pacing, frame, 1_600 + at * 33, wait)).toEqual(SHOW);
    }
  });

  it('takes the end of a pause for no rush', () => {
    const pacing = new Pacing();
    receive(pacing, 0, [0, 33, 66]);
    const after = pacing.received(1, 20_000_000, 20_010, 10);
    expect(decide(pacing, after, 20_015)).toEqual(SHOW);
  });
});
