/** What the player says to its viewer in each state. */

import type { Slow } from '../../play/slowness.ts';
import type { PlayoutMode } from '../../play/spread.ts';
import { NO_TOKEN, type PlayerState, type UnsupportedReason } from '../../play/state.ts';
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
  final: false,
  withdrawn: false,
  passing: false,
};

/** What is said while the browser waits for a touch before it plays. */
const BLOCKED: Words = { ...PLAIN, badge: 'Ready', tone: 'wait', title: 'Tap to play' };

/** `blocked`: the browser plays only after a touch or a click; `slow`: the network carries too little. */
export function wordsFor(state: PlayerState, blocked = false, slow: Slow | null = null): Words {
  if (blocked && state.kind === 'connecting') return BLOCKED;
  if (slow !== null && (state.kind === 'live' || state.kind === 'static')) return slowWords(slow);
  switch (state.kind) {
    case 'connecting':
      return { ...PLAIN, badge: 'Joining', title: 'Joining…', detail: joining(state.attempt) };
    case 'live':
      return { ...PLAIN, badge: 'Live', tone: 'good' };
    case 'static':
      return { ...PLAIN, badge: 'Live, screen at rest', tone: 'good' };
    case 'away':
      return {
        ...PLAIN,
        badge: 'Host away',
        tone: 'wait',
        title: 'The host is away',
        detail: 'You see their last picture. It goes on by itself when they are back.',
        sinceMs: state.sinceMs,
      };
    case 'paused':
      return {
        ...PLAIN,
        badge: 'Paused',
        tone: 'wait',
        title: 'The host has paused the picture',
        detail: 'It goes on by itself when they are ready.',
        sinceMs: state.sinceMs,
        withdrawn: true,
      };
    case 'preparing':
      return {
        ...PLAIN,
        badge: 'Preparing',
        tone: 'wait',
        title: 'Preparing a version that this browser can show',
        detail: 'It cannot show what the host sends. Another version is on its way.',
      };
    case 'undecodable':
      return {
        ...PLAIN,
        badge: 'No picture here',
        tone: 'bad',
        title: 'This browser cannot show the picture',
        detail: undecodable(state.codec),
      };
    case 'waiting':
      return {
        ...PLAIN,
        badge: 'Waiting',
        tone: 'wait',
        title: 'Waiting for the host to start',
        detail: 'You are connected. The picture appears here as soon as sharing begins.',
      };
    case 'reconnecting':
      return {
        ...PLAIN,
        badge: 'Reconnecting',
        tone: 'wait',
        title: 'Connection lost, reconnecting',
        detail: state.covered
          ? 'The host had paused the picture.'
          : 'The last picture stays until the connection is back.',
        sinceMs: state.sinceMs,
        withdrawn: state.covered,
      };
    case 'ended':
      return {
        ...final('Ended', 'plain', 'The broadcast has ended', ending(state.reason)),
        // Who ends it wants its picture gone; who is only away too long has said nothing.
        withdrawn: state.reason === 'broadcast_ended',
      };
    case 'refused':
      return state.message === NO_TOKEN ? WITHOUT_TOKEN : refused(state.reason);
    case 'unsupported':
      return final('Not possible here', 'bad', ...UNSUPPORTED[state.reason]);
  }
}

/**
 * What the tab is called: the state, which comes first as tabs are narrow, and the broadcast. `title`:
 * null while it is not known.
 */
export function tabTitle(state: PlayerState, words: Words, title: string | null): string {
  // A screen that rests and moves again is no news.
  const badge = state.kind === 'static' && words.tone === 'good' ? 'Live' : words.badge;
  return `${badge} · ${title ?? 'Steadycast'}`;
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

/** What somebody is told who has opened the link for sharing where one watches. */
export const ADMIN_LINK = {
  badge: 'Link for sharing',
  title: 'This is the link for sharing',
  detail:
    'Whoever has it can share their screen here, so keep it to yourself. To watch, open the link for viewers, which the panel has.',
  action: 'Open the panel',
} as const;

function slowWords({ carriesKbps }: Slow): Words {
  const rate = carriesKbps === null ? '' : ` about ${rateWords(carriesKbps)},`;
  return {
    ...PLAIN,
    badge: 'Slow network',
    tone: 'wait',
    title: 'Slow network',
    detail: `Your connection carries${rate} less than the picture needs: fewer pictures a second.`,
    passing: true,
  };
}

function rateWords(kbps: number): string {
  return kbps < 1_000
    ? `${Math.round(kbps / 10) * 10} kbit/s`
    : `${(kbps / 1_000).toFixed(1)} Mbit/s`;
}

function final(badge: string, tone: Tone, title: string, detail: string): Words {
  return { ...PLAIN, badge, tone, title, detail, final: true };
}

type Undecodable = Extract<PlayerState, { kind: 'undecodable' }>;

function undecodable(codec: Undecodable['codec']): string {
  const format = codec === null ? '' : ` as ${kindName(codec)}`;
  return `The host shares${format}, and cannot make a version for this browser. A current Chrome, Edge or Firefox can show it; if the host chooses another format, this page goes on by itself.`;
}

function joining(attempt: number): string | null {
  return attempt > 2 ? 'The server does not answer yet. This page keeps trying.' : null;
}

function ending(reason: string): string {
  return reason === 'held_too_long'
    ? 'The host did not come back in time. Ask them for a new link when they share again.'
    : 'Thank you for watching. You can close this page.';
}

function withdrawn(badge: string, title: string, detail: string): Words {
  return { ...final(badge, 'bad', title, detail), withdrawn: true };
}

/** Of a page whose address was copied: the token was taken out of it. */
const WITHOUT_TOKEN = final(
  'No link',
  'plain',
  'Open your link once more',
  'The address of this page opens a broadcast only in the browser that has been there. Use the link that you were sent, or ask the host for a new one.',
);

type Refused = Extract<PlayerState, { kind: 'refused' }>;

function refused(reason: Refused['reason']): Words {
  switch (reason) {
    case 'token_expired':
      return withdrawn('Expired', 'This link has expired', 'Ask the host for a new one.');
    case 'revoked':
      return withdrawn(
        'Link ended',
        'This link is not valid any more',
        'The host has made new links. Ask them for the new one.',
      );
    case 'kicked':
      return withdrawn(
        'Removed',
        'You were removed from this broadcast',
        'The host has ended your session.',
      );
    case 'unauthorized':
    case 'wrong_role':
      return final(
        'No access',
        'bad',
        'This link does not open a broadcast',
        'It may have been cut short on its way. Copy the whole link, or ask the host for a new one.',
      );
    case 'unknown_broadcast':
      return final(
        'Not found',
        'bad',
        'This broadcast is over',
        'The server does not know it any more. Ask the host for a new link.',
      );
    case 'unsupported_version':
      return final(
        'Outdated',
        'bad',
        'This page is older than the server',
        'Reload the page to get the current version.',
      );
    default:
      return final(
        'Not connected',
        'bad',
        'The broadcast could not be joined',
        'Reload the page to try again. If that does not help, tell the host.',
      );
  }
}

const UNSUPPORTED: Record<UnsupportedReason, [title: string, detail: string]> = {
  webkit: [
    'Please open this link in another browser',
    'Safari, and every browser on iPhone and iPad, cannot play what this server offers. Chrome, Edge or Firefox on a computer or on Android can.',
  ],
  webtransport: [
    'This browser is too old for this broadcast',
    'A current Chrome, Edge or Firefox can play it, unless WebRTC is switched off there.',
  ],
  decoder: [
    'This browser cannot decode the picture',
    'A current Chrome, Edge or Firefox can play this broadcast.',
  ],
  canvas: [
    'This browser cannot show the picture',
    'A current Chrome, Edge or Firefox can play this broadcast.',
  ],
  insecure: [
    'This page was opened without encryption',
    'Use the link exactly as the host gave it to you; it begins with https.',
  ],
};

/** The ways to watch. */
export const PLAYOUT_WORDS: Record<PlayoutMode, { name: string; detail: string }> = {
  automatic: {
    name: 'Automatic',
    detail: 'As live as it gets; evens the motion out when the network needs it.',
  },
  live: {
    name: 'Closest to live',
    detail: 'Every picture as soon as it is here, even if the motion jerks.',
  },
  smooth: {
    name: 'Smooth',
    detail: 'Even motion, up to about half a second later on a bad network.',
  },
};

/** A running time: `8 s`, `3:05`, `1:02:09`. */
export function elapsed(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  if (seconds < 60) return `${seconds} s`;
  const [hours, minutes] = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60];
  const two = (value: number) => String(value).padStart(2, '0');
  const tail = two(seconds % 60);
  return hours > 0 ? `${hours}:${two(minutes)}:${tail}` : `${minutes}:${tail}`;
}
