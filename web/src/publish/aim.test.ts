import { expect, it } from 'vitest';
import { Aim } from './aim.ts';

/** Runs an encoder that makes `factor` times what it is told, ten pictures a second. */
function run(aim: Aim, factor: number, fromMs: number, seconds: number): number {
  let made = 0;
  for (let step = 0; step < seconds * 10; step += 1) {
    const nowMs = fromMs + step * 100;
    const bytes = (500_000 * aim.share * factor) / 80;
    made += bytes * 8;
    aim.made(bytes, nowMs);
    aim.correct(500_000, nowMs);
  }
  return made / seconds;
}

it('leaves an encoder alone that keeps to what it is told', () => {
  const aim = new Aim();
  run(aim, 1.05, 0, 20);
  expect(aim.share).toBe(1);
});

it('brings one that overshoots to what it is to make, and back', () => {
  const aim = new Aim();
  run(aim, 1.5, 0, 6);
  const made = run(aim, 1.5, 6_000, 20);
  expect(made).toBeGreaterThan(400_000);
  expect(made).toBeLessThan(580_000);
  run(aim, 0.9, 26_000, 15);
  expect(aim.share).toBe(1);
});

it('asks for no less than something to be seen', () => {
  const aim = new Aim();
  run(aim, 10, 0, 20);
  expect(aim.share).toBe(0.4);
});
