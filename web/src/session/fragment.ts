/**
 * What follows the # sign of a page's address (PROTOCOL 6.2), of which no server ever hears: named
 * parts, as in `#token=…`. Links of relays up to 0.1 have nothing there but the token.
 */

import { type LinkKey, readLinkKey } from '@steadycast/codec-glue';

export interface Fragment {
  /** What opens a broadcast; null: it is not in there. */
  token: string | null;
  /** Which broadcast it is about; all that is left in an address once the token was taken out of it. */
  broadcast: string | null;
  /** What a private broadcast is opened with (PROTOCOL 12.1); null: it is not in there. */
  key: LinkKey | null;
}

/** Reads what follows the # sign, with the sign or without it. */
export function parseFragment(hash: string): Fragment {
  const text = hash.startsWith('#') ? hash.slice(1) : hash;
  // No token has such a sign in it.
  if (!text.includes('=')) return { token: textOf(text), broadcast: null, key: null };
  const parts = new URLSearchParams(text);
  return {
    token: textOf(parts.get('token')),
    broadcast: textOf(parts.get('broadcast')),
    key: readLinkKey(parts.get('key') ?? ''),
  };
}

/** The fragment of a link. */
export function tokenFragment(token: string, key: LinkKey | null = null): string {
  return `#${new URLSearchParams(key === null ? { token } : { token, key })}`;
}

/** A relay's link to a private broadcast with what the relay does not know. */
export function withKey(link: string, key: LinkKey | null): string {
  if (key === null || !URL.canParse(link)) return link;
  const url = new URL(link);
  url.hash = tokenFragment(parseFragment(url.hash).token ?? '', key);
  return url.href;
}

/** The fragment of an address that anybody may see. */
export function broadcastFragment(broadcast: string): string {
  return `#${new URLSearchParams({ broadcast })}`;
}

function textOf(part: string | null): string | null {
  return part === null || part === '' ? null : part;
}
