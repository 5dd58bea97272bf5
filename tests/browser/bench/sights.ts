/** What a series of first sights says of a player; pure. */

import type { Sight } from '../src/eye.ts';
import { percentile } from './figures.ts';

export interface SightFigures {
  /** New pictures a second. */
  shownPerSecond: number;
  ageMs: { p50: number; p95: number; p99: number; most: number };
  /** The longest time between two new pictures. */
  longestFreezeMs: number;
  /** Freezes of more than 100 ms. */
  freezes: number;
  /** The share of the time for which, after 100 ms without one, a new picture was still missing. */
  frozenShare: number;
}

/** A still shorter than this is no freeze. */
const FREEZE_MS = 100;

/** Of the pictures seen from `fromMs` until `untilMs`, while the source moves all the time. */
export function figuresOf(sights: readonly Sight[], fromMs: number, untilMs: number): SightFigures {
  const seen = sights.filter(({ atMs }) => atMs >= fromMs && atMs < untilMs);
  const ages = seen.map(({ ageMs }) => ageMs);
  const stills = stillsOf(seen, fromMs, untilMs);
  const frozen = stills.filter((ms) => ms > FREEZE_MS);
  const frozenMs = frozen.reduce((sum, ms) => sum + ms - FREEZE_MS, 0);
  return {
    shownPerSecond: (seen.length * 1_000) / (untilMs - fromMs),
    ageMs: {
      p50: percentile(ages, 0.5),
      p95: percentile(ages, 0.95),
      p99: percentile(ages, 0.99),
      most: Math.max(...ages),
    },
    longestFreezeMs: Math.max(...stills),
    freezes: frozen.length,
    frozenShare: frozenMs / (untilMs - fromMs),
  };
}

/** The times between new pictures; the first and the last reach to the ends of the measurement. */
function stillsOf(seen: readonly Sight[], fromMs: number, untilMs: number): number[] {
  const times = [fromMs, ...seen.map(({ atMs }) => atMs), untilMs];
  return times.slice(1).map((at, index) => at - (times[index] ?? at));
}
