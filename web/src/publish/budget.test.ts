import { expect, it } from 'vitest';
import { Budget } from './budget.ts';

it('lets frames of the rate pass, and holds up what comes after a large one', () => {
  const budget = new Budget();
  budget.setRate(800_000);
  for (let nowMs = 0; nowMs < 1_000; nowMs += 50) {
    expect(budget.opensMs).toBeLessThanOrEqual(nowMs);
    budget.spend(5_000, nowMs);
  }
  budget.spend(100_000, 1_000);
  // A second of it, less what may be ahead of its time.
  expect(budget.opensMs).toBe(1_900);
});

it('saves nothing up, and forgets everything once there is no limit', () => {
  const budget = new Budget();
  budget.setRate(800_000);
  budget.spend(1_000, 60_000);
  expect(budget.opensMs).toBe(59_910);
  budget.spend(1_000_000, 60_000);
  budget.setRate(400_000);
  expect(budget.opensMs).toBeGreaterThan(69_000);
  budget.setRate(null);
  budget.spend(1_000_000, 60_000);
  expect(budget.limited).toBe(false);
  expect(budget.opensMs).toBe(Number.NEGATIVE_INFINITY);
});
