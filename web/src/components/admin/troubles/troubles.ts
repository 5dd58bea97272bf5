/** What is wrong with a broadcast, in words with its numbers, what matters most first; pure. */

import { reachOf } from '../../../links/reach.ts';
import { type HostStatus, type LimitFacts, NO_LIMITS } from '../../../publish/status.ts';
import type { ViewersFacts } from '../../../services/viewers.ts';
import { troublesWords } from '../../../words/index.ts';
import { count } from '../../../words/numbers.ts';
import { bitrate, milliseconds, wholeFrames } from '../time.ts';
import type { Tone } from '../words.ts';

/** What may be wrong, what matters most first. */
export const TROUBLES = [
  'muted',
  'uplink',
  'encoder',
  'capture',
  'waiting',
  'behind',
  'far',
  'tcp',
  'unreachable',
] as const;
export type TroubleName = (typeof TROUBLES)[number];

export interface Trouble {
  name: TroubleName;
  tone: Tone;
  title: string;
  /** What it means, and what to do about it. */
  detail: string;
}

export interface Circumstances {
  status: HostStatus;
  /** Null: not known. */
  viewers: ViewersFacts | null;
  /** Where viewers go; null: not known. */
  playerLink: string | null;
}

type Found = Omit<Trouble, 'name'> | null;

const FINDERS: Record<TroubleName, (given: Circumstances) => Found> = {
  muted: ({ status }) => (status.source?.muted === true ? said('muted') : null),
  uplink: ({ status }) => uplink(status),
  encoder: ({ status }) => encoder(status),
  capture: ({ status }) => capture(status),
  waiting: ({ viewers }) => waiting(viewers),
  behind: ({ viewers }) => behind(viewers),
  far: ({ status }) => far(status),
  tcp: ({ status }) => (status.carrier === 'websocket' ? { ...said('tcp'), tone: 'plain' } : null),
  unreachable: ({ playerLink, viewers }) =>
    playerLink !== null && reachOf(playerLink) === 'own-machine' && viewers?.count === 0
      ? { ...said('unreachable'), tone: 'plain' }
      : null,
};

export function troublesOf(given: Circumstances): Trouble[] {
  // What is not sent has no trouble on its way; the state says why.
  if (given.status.state !== 'live') return [];
  return TROUBLES.flatMap((name) => {
    const found = FINDERS[name](given);
    return found === null ? [] : [{ name, ...found }];
  });
}

function said(name: 'muted' | 'tcp' | 'unreachable'): Omit<Trouble, 'name'> {
  return { tone: 'wait', ...troublesWords()[name] };
}

/** A picture of which viewers get nearly all frames only lacks sharpness. */
const NEARLY = 0.9;

function uplink({ limits, rates, quality, motion }: HostStatus): Found {
  if (limits.uplink === null) return null;
  const words = troublesWords().uplink;
  const { value, unit } = bitrate(limits.uplink);
  const fewer = motion === 'moving' && rates.fpsSent < NEARLY * quality.frameRate;
  return {
    tone: 'wait',
    title: words.title(`${value} ${unit}`),
    detail: fewer
      ? words.detail(wholeFrames(rates.fpsSent), String(quality.frameRate))
      : words.coarser,
  };
}

function encoder({ limits, rates, quality }: HostStatus): Found {
  if (limits.frameRate === null) return null;
  const words = troublesWords().encoder;
  return {
    tone: 'wait',
    title: words.title(wholeFrames(limits.frameRate)),
    detail: words.detail(String(quality.frameRate), milliseconds(rates.encodeMs)),
  };
}

/** Less than this share of what is asked for is too little. */
const TOO_FEW = 0.7;
/** On a screen on which little moves, browsers may capture fewer, and nothing is wrong. */
const MOVES = 8;

function capture({ source, motion, limits, rates, quality }: HostStatus): Found {
  const whole = source !== null && source.surface !== 'browser' && !source.muted;
  if (!whole || motion !== 'moving' || isLimited(limits)) return null;
  const { fpsIn } = rates;
  if (fpsIn < MOVES || fpsIn >= TOO_FEW * quality.frameRate) return null;
  const words = troublesWords().capture;
  return {
    tone: 'wait',
    title: words.title(wholeFrames(fpsIn), String(quality.frameRate)),
    detail: words.detail,
  };
}

/** A host that sends less has the browser capture less. */
function isLimited({ uplink, frameRate }: LimitFacts): boolean {
  return uplink !== NO_LIMITS.uplink || frameRate !== NO_LIMITS.frameRate;
}

function waiting(viewers: ViewersFacts | null): Found {
  if (viewers === null || viewers.byState.waiting === 0) return null;
  const words = troublesWords().waiting;
  const title = some(words, viewers.byState.waiting, viewers.count);
  return { tone: 'bad', title, detail: words.detail };
}

/** Where one of four is behind, it is hardly for their own networks alone. */
const MANY = 4;

function behind(viewers: ViewersFacts | null): Found {
  if (viewers === null) return null;
  const { byState, count: all } = viewers;
  if (byState.behind === 0 || byState.behind * MANY < all) return null;
  const words = troublesWords().behind;
  return { tone: 'wait', title: some(words, byState.behind, all), detail: words.detail };
}

function some(
  words: {
    one: string;
    oneOf: (all: string) => string;
    title: (some: string, all: string) => string;
  },
  some: number,
  all: number,
): string {
  if (some > 1) return words.title(count(some), count(all));
  return all === 1 ? words.one : words.oneOf(count(all));
}

const FAR_MS = 150;

function far({ rttMs }: HostStatus): Found {
  if (rttMs === null || rttMs < FAR_MS) return null;
  const words = troublesWords().far;
  const [way, back] = [Math.round(rttMs / 2), Math.round(rttMs)].map(String) as [string, string];
  return { tone: 'wait', title: words.title(back), detail: words.detail(way) };
}
