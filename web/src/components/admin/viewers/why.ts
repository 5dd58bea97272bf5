/** Why a viewer does not see the picture as it is, in words; pure. */

import type { TroubledViewer } from '../../../services/viewers.ts';
import { viewersWords } from '../../../words/index.ts';
import { bitrate } from '../time.ts';

/** From here on pictures are late (PROTOCOL 7.6). */
const LATE_MS = 750;

export function whyOf(viewer: TroubledViewer): string {
  const { why } = viewersWords();
  const rate = carries(viewer);
  switch (viewer.state) {
    case 'behind':
      return whyBehind(viewer, rate);
    case 'light':
      return rate === null ? why.light : why.lightFor(rate);
    case 'waiting':
      return why.waiting;
    case 'away':
      return why.away;
    case 'live':
      return '';
  }
}

function whyBehind({ undecoded, latencyMs = 0 }: TroubledViewer, rate: string | null): string {
  const { why, latency } = viewersWords();
  if (undecoded) return why.undecoded;
  if (latencyMs < LATE_MS) return rate === null ? why.skips : why.skipsFor(rate);
  const late = latency.ms(String(latencyMs));
  return rate === null ? why.late(late) : why.lateFor(late, rate);
}

function carries({ carriesKbps }: TroubledViewer): string | null {
  if (carriesKbps === undefined) return null;
  const { value, unit } = bitrate(carriesKbps * 1_000);
  return `${value} ${unit}`;
}

/** What a viewer is called. */
export function nameOf({ name, session }: TroubledViewer): string {
  return name ?? viewersWords().slow.viewer(session);
}
