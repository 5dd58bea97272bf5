import { describe, expect, it } from 'vitest';
import type { RematchReason } from './race.ts';
import { type Health, Trial, Trouble } from './rivalry.ts';

/** Looks four times a second; `fps` is what is shown. Returns when it was too bad, in ms. */
function watch(trouble: Trouble, seconds: number, over: Partial<Health>, fps = 30, fromMs = 0) {
  let shown = fromMs;
  for (let ms = fromMs; ms < fromMs + seconds * 1_000; ms += 250) {
    shown += fps / 4;
    const health = { moving: true, narrow: false, shown, delayMs: 80, ...over };
    if (trouble.look(health, ms)) return ms;
  }
  return null;
}

describe('trouble', () => {
  it('is none of a picture that comes in time, moves slowly, or rests', () => {
    expect(watch(new Trouble(), 300, {})).toBeNull();
    expect(watch(new Trouble(), 300, { delayMs: 1_800 }, 4)).toBeNull();
    expect(watch(new Trouble(), 300, { moving: false }, 0)).toBeNull();
  });

  it('is a picture that is more than two seconds late, when it stays so', () => {
    const at = watch(new Trouble(), 60, { delayMs: 2_500 });
    expect(at).toBeGreaterThanOrEqual(6_000);
    expect(at).toBeLessThan(7_000);
  });

  it('is one that freezes for five seconds, twice, but not once', () => {
    const trouble = new Trouble();
    expect(watch(trouble, 7, {}, 0)).toBeNull();
    expect(watch(trouble, 20, {}, 30, 7_000)).toBeNull();
    expect(watch(trouble, 7, {}, 0, 27_000)).toBeGreaterThanOrEqual(32_000);
  });

  it('is forgotten after two minutes', () => {
    const trouble = new Trouble();
    watch(trouble, 7, {}, 0);
    watch(trouble, 150, {}, 30, 7_000);
    expect(watch(trouble, 7, {}, 0, 157_000)).toBeNull();
  });

  it('is not the transport’s where the path is narrow', () => {
    expect(watch(new Trouble(), 60, { delayMs: 4_000, narrow: true })).toBeNull();
    expect(watch(new Trouble(), 60, { narrow: true }, 0)).toBeNull();
  });
});

/** Both for 12 s; what is shown per second, and the delay of each. */
function compare(
  kept: [fps: number, delayMs: number],
  rival: [fps: number, delayMs: number],
  reason: RematchReason = 'trouble',
) {
  const trial = new Trial(reason);
  for (let at = 1; at <= 48; at += 1) {
    const side = ([fps, delayMs]: [number, number]): Health => ({
      moving: true,
      narrow: false,
      shown: Math.floor((at * fps) / 4),
      delayMs,
    });
    trial.kept(side(kept), at * 250);
    trial.rival(side(rival), at * 250);
  }
  return trial.verdict(12_000);
}

describe('a trial', () => {
  it('is won by the other one when it is clearly better', () => {
    expect(compare([4, 3_000], [30, 120])).toBe('rival');
    expect(compare([0, 100], [30, 120])).toBe('rival');
  });

  it('is won by the kept one when both are as bad, or the other one hardly better', () => {
    expect(compare([4, 3_000], [4, 2_900])).toBe('kept');
    expect(compare([30, 600], [30, 200])).toBe('kept');
    expect(compare([30, 3_000], [0.5, 100])).toBe('kept');
  });

  it('is won by a better transport that does as well, and by the lesser one when that does better', () => {
    expect(compare([30, 120], [30, 200], 'better')).toBe('rival');
    expect(compare([0, 0], [0.5, 0], 'better'), 'a screen at rest').toBe('rival');
    expect(compare([30, 120], [4, 3_000], 'better')).toBe('kept');
  });

  it('has no verdict before the other one has shown something for a while', () => {
    const trial = new Trial('trouble');
    const nothing: Health = { moving: true, narrow: false, shown: 0, delayMs: null };
    for (let ms = 0; ms < 60_000; ms += 250) trial.rival(nothing, ms);
    expect(trial.verdict(60_000)).toBeNull();
    trial.rival({ ...nothing, shown: 1 }, 60_000);
    expect(trial.verdict(69_000)).toBeNull();
    expect(trial.verdict(70_000)).not.toBeNull();
    const longer = new Trial('better', 30_000);
    longer.rival({ ...nothing, shown: 1 }, 0);
    expect([longer.verdict(39_999), longer.verdict(40_000)]).toEqual([null, 'rival']);
  });
});
