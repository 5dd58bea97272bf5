/** What admins are told in each state of the host; pure. */

import { leftOf } from '../../publish/crop.ts';
import type { Deed } from '../../publish/crop-history.ts';
import { type Crop, sameCrop } from '../../publish/geometry.ts';
import { type HostState, type HostStatus, isSharing } from '../../publish/status.ts';
import type { HostPresence, ShareSnapshot } from '../../services/AdminScreenShareService.ts';
import { ENDED_HERE } from '../../services/api.ts';
import { cropWords } from '../../words/crop.ts';
import { hostWords } from '../../words/host.ts';
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

const TONES: Record<HostState, Tone> = {
  idle: 'plain',
  asking: 'wait',
  'needs-gesture': 'wait',
  cancelled: 'plain',
  standby: 'wait',
  connecting: 'wait',
  live: 'good',
  paused: 'wait',
  reconnecting: 'wait',
  ended: 'wait',
  superseded: 'bad',
  refused: 'bad',
  stopped: 'plain',
  failed: 'bad',
};

/** What a code of PROTOCOL 5 means to an admin; null when only the relay's own words are left. */
export function explainCode(code: string | null): string | null {
  return code === null ? null : (hostWords().refusals[code] ?? null);
}

export function wordsForHost(status: HostStatus): Words {
  const said = hostWords();
  const words = { ...said.states[status.state], tone: TONES[status.state] };
  if (status.state === 'asking' && status.standby) {
    return { ...words, detail: said.askingStandby };
  }
  if (status.state === 'live' && status.source?.muted === true) {
    return { ...said.muted, tone: 'wait' };
  }
  if (status.state === 'live') return lostWords(status) ?? limitWords(status) ?? words;
  if (status.state === 'refused') {
    return { ...words, detail: explainCode(status.code) ?? status.reason };
  }
  return status.state === 'failed' ? { ...words, detail: status.reason } : words;
}

/** What became of the crop when what is shared became smaller; null: it is all there. */
function lostWords({ crop, source }: HostStatus): Words | null {
  if (source === null || crop === null) return null;
  const left = leftOf(crop, source);
  if (left !== null && sameCrop(left, crop)) return null;
  const { cropOutside, cropCut } = hostWords();
  const surface = isKnown(source.surface, cropCut) ? source.surface : 'monitor';
  return { ...(left === null ? cropOutside : cropCut)[surface], tone: 'wait' };
}

function isKnown<Table extends object>(key: PropertyKey, table: Table): key is keyof Table {
  return Object.hasOwn(table, key);
}

/** What viewers have less of, and why; null: they have all of it. */
function limitWords({ limits }: HostStatus): Words | null {
  const said = hostWords();
  if (limits.uplink !== null) {
    const { value, unit } = bitrate(limits.uplink);
    return { ...said.slowUplink(`${value} ${unit}`), tone: 'wait' };
  }
  if (limits.frameRate === null) return null;
  return { ...said.busyComputer(limits.frameRate), tone: 'wait' };
}

const PRESENCE_TONES: Record<Exclude<HostPresence, 'present'>, Tone> = {
  searching: 'plain',
  none: 'plain',
  opening: 'wait',
  missing: 'wait',
  silent: 'wait',
};

/** The admin has ended it here: nothing else matters any more. */
function endedWords(): Words {
  const { endedBadge, endedTitle, endedDetail } = linkWords();
  return { badge: endedBadge, tone: 'plain', title: endedTitle, detail: endedDetail };
}

export function wordsForPanel(snapshot: ShareSnapshot): Words {
  if (snapshot.problem?.code === ENDED_HERE) return endedWords();
  if (snapshot.host === 'present' && snapshot.status !== null)
    return wordsForPresent(snapshot.status, snapshot);
  const said = hostWords();
  const presence = snapshot.host === 'present' ? 'searching' : snapshot.host;
  const words = { ...said.presences[presence], tone: PRESENCE_TONES[presence] };
  if (presence !== 'none') return words;
  const refused = explainCode(snapshot.problem?.code ?? null);
  if (refused !== null) return { ...said.unusable, tone: 'bad', detail: refused };
  const { broadcast } = snapshot;
  if (broadcast?.phase === 'held' || broadcast?.phase === 'paused') {
    return { ...words, title: said.heldTitle, detail: remains(snapshot) };
  }
  if (broadcast?.phase === 'live') return { ...said.elsewhere, tone: 'good' };
  return snapshot.hasHostPage ? words : { ...words, detail: said.aloneDetail };
}

/** What viewers see while nobody shares; null: they wait, or somebody else shares. */
function remains({ broadcast }: ShareSnapshot): string | null {
  const said = hostWords();
  if (broadcast?.phase === 'held') return said.held(broadcast.players);
  return broadcast?.phase === 'paused' ? said.covered : null;
}

const SHARES_NOTHING: readonly HostState[] = ['idle', 'cancelled', 'ended', 'stopped'];

/** A host that shares nothing says nothing of what stands at the relay. */
function wordsForPresent(status: HostStatus, snapshot: ShareSnapshot): Words {
  const words = wordsForHost(status);
  if (!SHARES_NOTHING.includes(status.state)) return words;
  return { ...words, detail: remains(snapshot) ?? words.detail };
}

/** What the tab says first, so that nobody forgets that viewers see nothing; null: there is no such thing. */
export function withheldBadge({ status }: ShareSnapshot): string | null {
  return status?.state === 'standby' || status?.state === 'paused'
    ? hostWords().states[status.state].badge
    : null;
}

/** Whether nothing can be shared with this link any more. */
export function isDeadLink({ status, problem, host }: ShareSnapshot): boolean {
  if (status !== null && isSharing(status.state)) return false;
  const code = status?.state === 'refused' ? status.code : problem?.code;
  if (code === ENDED_HERE) return true;
  return code != null && explainCode(code) !== null && host !== 'searching';
}

/** What the main button does now; null: there is nothing to start from here. */
export function startLabel(snapshot: ShareSnapshot): string | null {
  const { host, status } = snapshot;
  const labels = hostWords().start;
  if (isDeadLink(snapshot)) return null;
  if (host === 'searching' || host === 'opening' || host === 'silent') return null;
  if (host === 'none' || host === 'missing' || status === null) {
    return snapshot.broadcast?.phase === 'live' ? labels.takeOver : labels.share;
  }
  if (isSharing(status.state) || status.state === 'asking') return null;
  if (status.state === 'superseded') return labels.takeBack;
  const again: readonly HostState[] = ['needs-gesture', 'cancelled', 'failed'];
  return again.includes(status.state) ? labels.tryAgain : labels.again;
}

/** What undoing a change of the crop is told with, and what the crop is since. */
export function undoneWords(deed: Deed, crop: Crop | null): string {
  const words = cropWords();
  return words.undone(deedWords(deed), nowWords(crop));
}

export function redoneWords(deed: Deed, crop: Crop | null): string {
  const words = cropWords();
  return words.redone(deedWords(deed), nowWords(crop));
}

function nowWords(crop: Crop | null): string {
  const words = cropWords();
  return crop === null ? words.wholeAgain : words.again(crop);
}

function deedWords(deed: Deed): string {
  const { deeds } = cropWords();
  switch (deed.kind) {
    case 'type':
      return deeds.type(deed.field);
    case 'shape':
      return deeds.shape(deed.name);
    default:
      return deeds[deed.kind];
  }
}
