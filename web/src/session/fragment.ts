/**
 * What follows the # sign of a page's address (PROTOCOL 6.2), of which no server ever hears: named
 * parts, as in `#token=…`. Links of relays up to 0.1 have nothing there but the token.
 */

export interface Fragment {
  /** What opens a broadcast; null: it is not in there. */
  token: string | null;
  /** Which broadcast it is about; all that is left in an address once the token was taken out of it. */
  broadcast: string | null;
}

/** Reads what follows the # sign, with the sign or without it. */
export function parseFragment(hash: string): Fragment {
  const text = hash.startsWith('#') ? hash.slice(1) : hash;
  // No token has such a sign in it.
  if (!text.includes('=')) return { token: textOf(text), broadcast: null };
  const parts = new URLSearchParams(text);
  return { token: textOf(parts.get('token')), broadcast: textOf(parts.get('broadcast')) };
}

/** The fragment of a link. */
export function tokenFragment(token: string): string {
  return `#${new URLSearchParams({ token })}`;
}

/** The fragment of an address that anybody may see. */
export function broadcastFragment(broadcast: string): string {
  return `#${new URLSearchParams({ broadcast })}`;
}

function textOf(part: string | null): string | null {
  return part === null || part === '' ? null : part;
}
