import { describe, expect, it } from 'vitest';
import { Loan } from './loan.ts';

/** A browser that gives the next frame once it has the last one back. */
function starve(loan: Loan, frames: number, fromMs = 0): number {
  let nowMs = fromMs;
  for (let frame = 0; frame < frames; frame += 1) {
    loan.lent(nowMs);
    nowMs = loan.dueMs;
    loan.returned(nowMs);
    nowMs += 33;
  }
  return nowMs;
}

describe('what is lent', () => {
  it('stays where the next frame comes soon', () => {
    const loan = new Loan();
    for (let frame = 0; frame < 300; frame += 1) {
      loan.lent(frame * 33);
      expect(loan.dueMs).toBeGreaterThan((frame + 1) * 33);
    }
    expect(loan.isScarce).toBe(false);
  });

  it('is given back once it rests, and only once', () => {
    const loan = new Loan();
    loan.lent(1_000);
    expect(loan.dueMs).toBe(1_300);
    loan.returned(1_300);
    expect(loan.dueMs).toBe(Number.POSITIVE_INFINITY);
  });

  it('is given back at once where each frame waits for the one before', () => {
    const loan = new Loan();
    const nowMs = starve(loan, 3);
    expect(nowMs).toBeLessThan(1_100);
    expect(loan.isScarce).toBe(false);
    loan.lent(nowMs);
    expect(loan.isScarce).toBe(true);
    loan.lent(nowMs + 33);
    expect(loan.isScarce).toBe(true);
  });

  it('is not taken for scarce where somebody types, or only changes come', () => {
    const loan = new Loan();
    let nowMs = 0;
    for (let word = 0; word < 20; word += 1) {
      nowMs = starve(loan, 1, nowMs);
      // A second letter: nothing was given back before it.
      loan.lent(nowMs);
      loan.lent(nowMs + 120);
      nowMs += 500;
      loan.returned(nowMs);
      nowMs += 200;
    }
    expect(loan.isScarce).toBe(false);
  });
});
