/** What the list says of one broadcast; pure. */

import type { DeskBroadcast } from '../../services/DeskService.ts';
import { deskWords } from '../../words/index.ts';
import { ago, moment } from '../../words/when.ts';

/** What the relay calls a broadcast that was given no title (PROTOCOL 7.2). */
const UNTITLED = 'Untitled';

/** What it is called in the page's language. */
export function titleOf({ title }: Pick<DeskBroadcast, 'title'>): string {
  return title === '' || title === UNTITLED ? deskWords().untitled : title;
}

export interface RowFact {
  name: string;
  text: string;
  /** The point in time itself; undefined: there is none. */
  exact: string | undefined;
}

/** When it was made, and when it was live last. */
export function rowFacts(broadcast: DeskBroadcast, nowMs: number): RowFact[] {
  const words = deskWords();
  const { createdMs, lastLiveMs, phase, sinceMs, over } = broadcast;
  const made = fact(words.made, createdMs, nowMs);
  if (phase === 'live' && over === null) return [fact(words.wentLive, sinceMs, nowMs), made];
  if (lastLiveMs !== null) return [fact(words.lastLive, lastLiveMs, nowMs), made];
  return [{ name: words.lastLive, text: words.never, exact: undefined }, made];
}

function fact(name: string, atMs: number, nowMs: number): RowFact {
  return { name, text: ago(atMs, nowMs) ?? deskWords().justNow, exact: moment(atMs, nowMs) };
}

const TONES = {
  live: 'badge-good',
  held: 'badge-wait',
  paused: 'badge-wait',
  waiting: 'badge-plain',
} as const;

/** The class of its badge. */
export function rowTone({ over, phase }: DeskBroadcast): string {
  return over === null ? TONES[phase] : 'badge-plain';
}
