/** What admins are told in each state of the host; pure. */

import { leftOf } from '../../publish/crop.ts';
import type { Deed } from '../../publish/crop-history.ts';
import { type Crop, sameCrop } from '../../publish/geometry.ts';
import { type HostState, type HostStatus, isSharing } from '../../publish/status.ts';
import type { HostPresence, ShareSnapshot } from '../../services/AdminScreenShareService.ts';
import { ENDED_HERE } from '../../services/api.ts';
import { linkWords } from '../../words/index.ts';
import { bitrate } from './time.ts';

export type Tone = 'good' | 'wait' | 'bad' | 'plain';

export interface Words {
  /** One or two words for the badge. */
  badge: string;
  tone: Tone;
  /** A sentence, and what to do about it; null when the badge says it all. */
  title: string | null;
  detail: string | null;
}

const STATES: Record<HostState, Words> = {
  idle: {
    badge: 'Not sharing',
    tone: 'plain',
    title: 'Nothing is shared',
    detail: 'Viewers wait, or keep the last picture.',
  },
  asking: {
    badge: 'Choosing a screen',
    tone: 'wait',
    title: 'Choose what to share',
    detail: 'The browser asks in the capture window. Sharing begins as soon as you have chosen.',
  },
  'needs-gesture': {
    badge: 'One click missing',
    tone: 'wait',
    title: 'The browser wants one click in the capture window',
    detail:
      'Press the button there, or try again from here. Viewers keep the last picture until then.',
  },
  cancelled: {
    badge: 'Not sharing',
    tone: 'plain',
    title: 'No screen was chosen',
    detail: 'Nothing is shared. Try again whenever you like.',
  },
  standby: {
    badge: 'Not live yet',
    tone: 'wait',
    title: 'Nobody sees this yet',
    detail: 'Viewers get it when you go live on the sharing page, or here.',
  },
  connecting: {
    badge: 'Connecting',
    tone: 'wait',
    title: 'Connecting to the relay',
    detail: 'The screen is captured; viewers see it as soon as the relay has it.',
  },
  live: { badge: 'Live', tone: 'good', title: null, detail: null },
  paused: {
    badge: 'Paused',
    tone: 'wait',
    title: 'Viewers see a card instead of your picture',
    detail: 'Nothing of your screen leaves this computer until you show it again.',
  },
  reconnecting: {
    badge: 'Reconnecting',
    tone: 'wait',
    title: 'The connection to the relay is lost',
    detail: 'It is being restored by itself. Viewers keep the last picture meanwhile.',
  },
  ended: {
    badge: 'Sharing ended',
    tone: 'wait',
    title: 'The shared screen is gone',
    detail: 'It was closed, or sharing was ended in the browser. One click shares again.',
  },
  superseded: {
    badge: 'Taken over',
    tone: 'bad',
    title: 'Another window took this broadcast over',
    detail: 'Viewers now see that one. You can take the broadcast back.',
  },
  refused: {
    badge: 'Refused',
    tone: 'bad',
    title: 'The relay refuses to go on',
    detail: null,
  },
  stopped: {
    badge: 'Stopped',
    tone: 'plain',
    title: 'Sharing is stopped',
    detail: 'Capture, encoder and connection are closed.',
  },
  failed: {
    badge: 'Failed',
    tone: 'bad',
    title: 'Sharing did not work',
    detail: null,
  },
};

const REFUSALS: Record<string, string> = {
  token_expired: 'This link has expired. Create a new broadcast, or ask for a new link.',
  revoked: 'This link was taken back: newer ones were made for this broadcast. Ask for a new one.',
  kicked: 'Whoever runs this relay has ended this session.',
  unauthorized: 'This link is not valid for this relay. Check that it was copied as a whole.',
  unknown_broadcast: 'This broadcast does not exist any more. Create a new one.',
  broadcast_ended: 'The broadcast was ended for everyone. Create a new one to share again.',
  held_too_long: 'The broadcast ended because nobody shared for too long. Create a new one.',
  unsupported_version: 'This page is older or newer than the relay. Reload it.',
};

/** What a code of PROTOCOL 5 means to an admin; null when only the relay's own words are left. */
export function explainCode(code: string | null): string | null {
  return code === null ? null : (REFUSALS[code] ?? null);
}

export function wordsForHost(status: HostStatus): Words {
  const words = STATES[status.state];
  if (status.state === 'live' && status.source?.muted === true) {
    return {
      ...words,
      badge: 'Live, no picture',
      tone: 'wait',
      title: 'The shared window gives no pictures at present',
      detail: 'It is minimised or hidden. Viewers keep the last picture.',
    };
  }
  if (status.state === 'live') return { ...words, ...(lostWords(status) ?? limitWords(status)) };
  if (status.state === 'refused') {
    return { ...words, detail: explainCode(status.code) ?? status.reason };
  }
  return status.state === 'failed' ? { ...words, detail: status.reason } : words;
}

const SURFACES: Record<string, string> = {
  monitor: 'screen',
  window: 'window',
  browser: 'tab',
};

/** What became of the crop when what is shared became smaller; null: it is all there. */
function lostWords({ crop, source }: HostStatus): Partial<Words> | null {
  if (source === null || crop === null) return null;
  const left = leftOf(crop, source);
  if (left !== null && sameCrop(left, crop)) return null;
  const surface = SURFACES[source.surface] ?? 'screen';
  if (left === null) {
    return {
      badge: 'Live, no picture',
      tone: 'wait',
      title: `The crop lies outside of the shared ${surface} now`,
      detail: `Viewers keep the last picture until the ${surface} is larger again, or you crop anew.`,
    };
  }
  return {
    badge: 'Live, part of the crop',
    tone: 'wait',
    title: `The shared ${surface} has become smaller than the crop`,
    detail: `Viewers see what is left of the crop, and black beside it, until the ${surface} is larger again.`,
  };
}

/** What viewers have less of, and why; nothing where they have all of it. */
function limitWords({ limits }: HostStatus): Partial<Words> {
  if (limits.uplink !== null) {
    const { value, unit } = bitrate(limits.uplink);
    return {
      badge: 'Live, slow network',
      tone: 'wait',
      title: `Your network carries ${value} ${unit} at present`,
      detail: 'Viewers get fewer and coarser pictures, so that they are not late. It mends itself.',
    };
  }
  if (limits.frameRate !== null) {
    return {
      badge: 'Live, busy computer',
      tone: 'wait',
      title: `This computer encodes ${limits.frameRate} pictures a second at most`,
      detail:
        'Viewers get fewer pictures. A smaller resolution, or fewer programs, leave room for more.',
    };
  }
  return {};
}

const PRESENCES: Record<Exclude<HostPresence, 'present'>, Words> = {
  searching: {
    badge: 'Looking',
    tone: 'plain',
    title: 'Looking for the capture window',
    detail: null,
  },
  none: {
    badge: 'Not sharing',
    tone: 'plain',
    title: 'Nothing is shared yet',
    detail:
      'One click opens a small capture window that asks for the screen and goes live. This page may then be reloaded or closed; the picture goes on.',
  },
  opening: {
    badge: 'Opening',
    tone: 'wait',
    title: 'Opening the capture window',
    detail: null,
  },
  silent: {
    badge: 'No answer',
    tone: 'wait',
    title: 'The capture window does not answer',
    detail: 'It is there, but busy. If this stays, close that window and share again.',
  },
};

/** The admin has ended it here: nothing else matters any more. */
function endedWords(): Words {
  const { endedBadge, endedTitle, endedDetail } = linkWords();
  return { badge: endedBadge, tone: 'plain', title: endedTitle, detail: endedDetail };
}

export function wordsForPanel(snapshot: ShareSnapshot): Words {
  if (snapshot.problem?.code === ENDED_HERE) return endedWords();
  if (snapshot.host === 'present' && snapshot.status !== null) return wordsForHost(snapshot.status);
  const words = PRESENCES[snapshot.host === 'present' ? 'searching' : snapshot.host];
  if (snapshot.host !== 'none') return words;
  const refused = explainCode(snapshot.problem?.code ?? null);
  if (refused !== null)
    return { badge: 'Unusable', tone: 'bad', title: 'This link leads nowhere', detail: refused };
  if (snapshot.broadcast?.phase === 'held' || snapshot.broadcast?.phase === 'paused')
    return { ...words, ...heldWords(snapshot.broadcast.players) };
  if (snapshot.broadcast?.phase !== 'live') return words;
  return {
    badge: 'Live elsewhere',
    tone: 'good',
    title: 'Another device or browser is sharing',
    detail: 'Sharing from here takes the broadcast over.',
  };
}

function heldWords(viewers: number): Partial<Words> {
  const who =
    viewers === 1
      ? 'One viewer is connected and keeps'
      : `${viewers} viewers are connected and keep`;
  return {
    title: 'Nothing is shared at present',
    detail:
      viewers === 0
        ? 'One click shares again.'
        : `${who} the last picture. One click shares again.`,
  };
}

/** What the tab says first, so that nobody forgets that viewers see nothing; null: there is no such thing. */
export function withheldBadge({ status }: ShareSnapshot): string | null {
  return status?.state === 'standby' || status?.state === 'paused'
    ? STATES[status.state].badge
    : null;
}

/** Whether nothing can be shared with this link any more. */
export function isDeadLink({ status, problem, host }: ShareSnapshot): boolean {
  if (status !== null && isSharing(status.state)) return false;
  const code = status?.state === 'refused' ? status.code : problem?.code;
  if (code === ENDED_HERE) return true;
  return code != null && code in REFUSALS && host !== 'searching';
}

/** What the main button does now; null: there is nothing to start from here. */
export function startLabel(snapshot: ShareSnapshot): string | null {
  const { host, status } = snapshot;
  if (isDeadLink(snapshot)) return null;
  if (host === 'searching' || host === 'opening' || host === 'silent') return null;
  if (host === 'none' || status === null) {
    return snapshot.broadcast?.phase === 'live' ? 'Take over from here' : 'Share screen';
  }
  if (isSharing(status.state) || status.state === 'asking') return null;
  if (status.state === 'superseded') return 'Take back';
  const again: readonly HostState[] = ['needs-gesture', 'cancelled', 'failed'];
  return again.includes(status.state) ? 'Try again' : 'Share again';
}

/** What undoing a change of the crop is told with, and what the crop is since. */
export function undoneWords(deed: Deed, crop: Crop | null): string {
  return `Undone: ${deedWords(deed)}. ${nowWords(crop)}`;
}

export function redoneWords(deed: Deed, crop: Crop | null): string {
  return `Redone: ${deedWords(deed)}. ${nowWords(crop)}`;
}

function nowWords(crop: Crop | null): string {
  if (crop === null) return 'The whole picture is shared again.';
  const { x, y, width, height } = crop;
  return `The crop is ${width} × ${height} again, ${x} from the left and ${y} from the top.`;
}

function deedWords(deed: Deed): string {
  switch (deed.kind) {
    case 'draw':
      return 'drawing a new crop';
    case 'move':
      return 'moving the crop';
    case 'resize':
      return 'resizing the crop';
    case 'reset':
      return 'resetting the crop';
    case 'type':
      return `typing the number ${deed.field}`;
    case 'shape':
      return `choosing the shape ${deed.name}`;
  }
}
