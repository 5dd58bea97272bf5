/** What a host that shares says of itself, for tests. */

import { DEFAULT_QUALITY } from './quality.ts';
import { NO_SOUND } from './sound/facts.ts';
import { type HostStatus, NO_COUNTS, NO_LIMITS } from './status.ts';

/** Of a whole screen that moves, with what a test is about changed. */
export function statusOf(change: Partial<HostStatus> = {}): HostStatus {
  return {
    state: 'live',
    sinceMs: 1,
    reason: null,
    code: null,
    inside: false,
    paused: false,
    standby: false,
    source: { width: 1_920, height: 1_080, surface: 'monitor', muted: false },
    crop: null,
    quality: DEFAULT_QUALITY,
    picture: null,
    renditions: [],
    limits: NO_LIMITS,
    motion: 'moving',
    sound: NO_SOUND,
    carrier: 'webtransport',
    players: 0,
    epoch: 1,
    group: 1,
    rttMs: 2,
    retryAtMs: null,
    rates: {
      fpsIn: 30,
      fpsEncoded: 30,
      fpsSent: 30,
      bitsPerSecond: 900_000,
      encodeMs: 7,
      encoderQueue: 0,
      uplinkBacklog: 0,
    },
    counts: NO_COUNTS,
    ...change,
  };
}
