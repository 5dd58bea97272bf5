/** What the player says to its viewer in each state. */

import type { Slow } from '../../play/slowness.ts';
import { NO_TOKEN, type PlayerState } from '../../play/state.ts';
import { decimal } from '../../words/numbers.ts';
import { playerWords } from '../../words/player.ts';
import { kindName } from '../codecs.ts';

export type Tone = 'good' | 'wait' | 'bad' | 'plain';

export interface Words {
  /** One or two words for the badge. */
  badge: string;
  tone: Tone;
  /** A sentence over the picture; null when the picture speaks for itself. */
  title: string | null;
  detail: string | null;
  /** Since when, Unix milliseconds; shown as a running time. */
  sinceMs: number | null;
  /** Whether something is under way that ends by itself in a moment. */
  busy: boolean;
  /** Whether this is the end, so that it may cover the picture. */
  final: boolean;
  /** Whether the viewer may no longer see the last picture either. */
  withdrawn: boolean;
  /** Said over the picture for a while only; the badge goes on saying it. */
  passing: boolean;
}

const PLAIN: Words = {
  badge: '',
  tone: 'plain',
  title: null,
  detail: null,
  sinceMs: null,
  busy: false,
  final: false,
  withdrawn: false,
  passing: false,
};

/** What a table has of a state. */
interface Said {
  badge: string;
  title: string;
  detail: string;
}

/** `blocked`: the browser plays only after a touch or a click; `slow`: the network carries too little; `meddled`: somebody has changed it. */
export function wordsFor(
  state: PlayerState,
  blocked = false,
  slow: Slow | null = null,
  meddled = false,
): Words {
  const said = playerWords();
  if (meddled && (state.kind === 'live' || state.kind === 'static')) {
    return { ...PLAIN, badge: said.live, ...said.meddled, tone: 'bad' };
  }
  if (blocked && state.kind === 'connecting') {
    return { ...PLAIN, badge: said.ready, tone: 'wait', title: said.tap };
  }
  if (slow !== null && (state.kind === 'live' || state.kind === 'static')) return slowWords(slow);
  switch (state.kind) {
    case 'connecting': {
      const detail = state.attempt > 2 ? said.joiningLong : null;
      return { ...PLAIN, ...said.joining, detail, busy: true };
    }
    case 'live':
      return { ...PLAIN, badge: said.live, tone: 'good' };
    case 'static':
      return { ...PLAIN, badge: said.rest, tone: 'good' };
    case 'away':
      return { ...PLAIN, ...said.away, tone: 'wait', sinceMs: state.sinceMs };
    case 'paused':
      return {
        ...PLAIN,
        ...said.paused,
        tone: 'wait',
        sinceMs: state.sinceMs,
        withdrawn: true,
      };
    case 'preparing':
      return { ...PLAIN, ...said.preparing, tone: 'wait', busy: true };
    case 'undecodable': {
      const codec = state.codec === null ? null : kindName(state.codec);
      const detail = said.undecodable.detail(codec);
      return { ...PLAIN, ...said.undecodable, tone: 'bad', detail };
    }
    case 'locked':
      return { ...PLAIN, ...said.locked[state.why], tone: 'bad' };
    case 'waiting':
      return { ...PLAIN, ...said.waiting, tone: 'wait' };
    case 'reconnecting':
      return reconnecting(state);
    case 'ended':
      return {
        ...final('plain', { ...said.ended, detail: ending(state.reason) }),
        // Who ends it wants its picture gone; who is only away too long has said nothing.
        withdrawn: state.reason === 'broadcast_ended',
      };
    case 'refused':
      return state.message === NO_TOKEN ? final('plain', said.withoutToken) : refused(state.reason);
    case 'unsupported':
      return final('bad', { badge: said.unsupportedBadge, ...said.unsupported[state.reason] });
  }
}

type Reconnecting = Extract<PlayerState, { kind: 'reconnecting' }>;

function reconnecting({ covered, sinceMs }: Reconnecting): Words {
  const said = playerWords();
  const detail = covered ? said.reconnectingCovered : said.reconnecting.detail;
  return { ...PLAIN, ...said.reconnecting, tone: 'wait', detail, sinceMs, withdrawn: covered };
}

/**
 * What the tab is called: the state, which comes first as tabs are narrow, and the broadcast. `title`:
 * null while it is not known.
 */
export function tabTitle(state: PlayerState, words: Words, title: string | null): string {
  // A screen that rests and moves again is no news.
  const rests = state.kind === 'static' && words.tone === 'good';
  const badge = rests ? playerWords().live : words.badge;
  return `${badge} · ${title ?? 'Steadycast'}`;
}

/** What screen readers are told when it becomes so. */
export function announcement(state: PlayerState, words: Words, undecodable: string | null): string {
  const said = playerWords();
  if (undecodable !== null && (words.title === null || words.busy)) return said.undecoded.title;
  // A screen that rests and moves again is no news.
  if (state.kind === 'static' && words.tone === 'good') return said.live;
  const title = words.title ?? words.badge;
  return words.passing ? `${title}: ${words.detail}` : title;
}

/** What a picture is called that is saved: `Game night 2026-11-30 20.15.09.png`. */
export function fileName(title: string | null, at: Date): string {
  const two = (value: number) => String(value).padStart(2, '0');
  const day = [at.getFullYear(), two(at.getMonth() + 1), two(at.getDate())].join('-');
  const time = [at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join('.');
  // What some system or other allows in no name, or hides it for.
  const allowed = (title ?? '').replaceAll(/[\s\p{Cc}\p{Cf}\\/:*?"<>|]+/gu, ' ');
  const name = allowed.replace(/^[. ]+/, '').trim();
  return `${name || 'Steadycast'} ${day} ${time}.png`;
}

function slowWords({ carriesKbps }: Slow): Words {
  const { slow } = playerWords();
  const detail = slow.detail(carriesKbps === null ? null : rateWords(carriesKbps));
  return { ...PLAIN, ...slow, tone: 'wait', detail, passing: true };
}

function rateWords(kbps: number): string {
  return kbps < 1_000
    ? `${Math.round(kbps / 10) * 10} kbit/s`
    : `${decimal(kbps / 1_000, 1)} Mbit/s`;
}

function final(tone: Tone, said: Said): Words {
  return { ...PLAIN, ...said, tone, final: true };
}

function ending(reason: string): string {
  const said = playerWords();
  return reason === 'held_too_long' ? said.endedByAbsence : said.endedByHost;
}

type Refused = Extract<PlayerState, { kind: 'refused' }>;

function refused(reason: Refused['reason']): Words {
  const said = playerWords().refused;
  switch (reason) {
    case 'token_expired':
    case 'revoked':
    case 'kicked':
      return { ...final('bad', said[reason]), withdrawn: true };
    case 'unauthorized':
    case 'wrong_role':
      return final('bad', said.unauthorized);
    case 'unknown_broadcast':
    case 'unsupported_version':
      return final('bad', said[reason]);
    default:
      return final('bad', said.otherwise);
  }
}

/** A running time: `8 s`, `3:05`, `1:02:09`. */
export function elapsed(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  if (seconds < 60) return `${seconds} s`;
  const [hours, minutes] = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60];
  const two = (value: number) => String(value).padStart(2, '0');
  const tail = two(seconds % 60);
  return hours > 0 ? `${hours}:${two(minutes)}:${tail}` : `${minutes}:${tail}`;
}
