/** What several ways of playing have counted, one after another or side by side. */

import { COUNTERS, type PlayerRecords } from './records.ts';

/** Both counts together; what does not add up is the second's, where it has it. */
export function sum(one: PlayerRecords, other: PlayerRecords, afterMs: number): PlayerRecords {
  const counts = COUNTERS.map((name) => [name, one[name] + other[name]]);
  const pictureMs = other.firstPictureMs === null ? null : other.firstPictureMs + afterMs;
  return {
    ...other,
    ...Object.fromEntries(counts),
    firstPictureMs: earlier(one.firstPictureMs, pictureMs),
    latencyP50Ms: other.latencyP50Ms ?? one.latencyP50Ms,
    latencyP95Ms: other.latencyP95Ms ?? one.latencyP95Ms,
    largestGapMs: Math.max(one.largestGapMs, other.largestGapMs),
    picture: other.picture ?? one.picture,
    sound: other.sound ?? one.sound,
  };
}

function earlier(one: number | null, other: number | null): number | null {
  if (one === null || other === null) return one ?? other;
  return Math.min(one, other);
}
