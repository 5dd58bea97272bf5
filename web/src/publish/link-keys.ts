/** Which of the keys of a private broadcast is the one that viewers have by now (PROTOCOL 12.7); pure. */

import type { LinkKey } from '@steadycast/codec-glue';
import { readToken } from '../session/token.ts';

/** A key, and of which generation of links it is. */
export interface KnownKey {
  key: LinkKey | null;
  /** Null: nobody knows, as where links are not the relay's own. */
  keyGeneration: number | null;
}

/** The key of a link with this token; null: it has none. */
export function keyOfLink(key: LinkKey | null, token: string): KnownKey {
  return { key, keyGeneration: key === null ? null : (readToken(token)?.generation ?? null) };
}

/** What holds of a link's key and the one that this browser has kept: a link of before brings no older one back. */
export function newerKey(link: KnownKey, kept: KnownKey): KnownKey {
  if (link.key === null) return kept;
  const [inLink, inHere] = [link.keyGeneration, kept.keyGeneration];
  const isOlder = inLink !== null && inHere !== null && inLink < inHere;
  return isOlder && kept.key !== null ? kept : link;
}

/** Whether viewers' links were replaced after those that the key is of; `playGeneration`: of what theirs have to be by now. */
export function isOldKey({ key, keyGeneration }: KnownKey, playGeneration: number | null): boolean {
  return (
    key !== null &&
    keyGeneration !== null &&
    playGeneration !== null &&
    keyGeneration < playGeneration
  );
}
