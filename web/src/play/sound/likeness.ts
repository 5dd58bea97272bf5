/** Where a sound goes on like another place of it: there one can be played for the other; pure. */

import type { Ring } from './ring.ts';
import { CHANNELS, FADE } from './samples.ts';

/** How finely it is looked first; then every sample around the best place. */
const COARSE = 4;

/**
 * The place of `from` to `to` behind which, for as long as a fade takes, the sound is most like that behind
 * `model`. All of it has to be readable.
 */
export function mostAlike(ring: Ring, model: number, from: number, to: number): number {
  let best = from;
  let bestScore = Number.NEGATIVE_INFINITY;
  const look = (place: number, step: number) => {
    const score = likeness(ring, model, place, step);
    if (score <= bestScore) return;
    best = place;
    bestScore = score;
  };
  for (let place = from; place <= to; place += COARSE) look(place, COARSE);
  const around = best;
  bestScore = Number.NEGATIVE_INFINITY;
  for (let place = around - COARSE + 1; place < around + COARSE; place += 1) {
    if (place >= from && place <= to) look(place, 2);
  }
  return best;
}

/** 1: the same but for its loudness; 0: nothing alike. */
function likeness(ring: Ring, model: number, place: number, step: number): number {
  let product = 0;
  let power = 1e-9;
  for (let channel = 0; channel < CHANNELS; channel += 1) {
    for (let at = 0; at < FADE; at += step) {
      const one = ring.at(channel, place + at);
      product += ring.at(channel, model + at) * one;
      power += one * one;
    }
  }
  return product / Math.sqrt(power);
}
