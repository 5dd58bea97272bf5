/** What a token says of itself (PROTOCOL 6); for display, as only the relay can check it. */

import { isCount, isRecord } from './parse.ts';

export interface TokenClaims {
  /** The broadcast's id. */
  broadcast: string;
  role: 'publish' | 'play';
  /** Unix milliseconds. */
  expiresMs: number;
}

/** Null for anything that is not a token of ours. */
export function readToken(token: string): TokenClaims | null {
  const [, payload] = token.split('.');
  if (payload === undefined) return null;
  const claims = decode(payload);
  if (!isRecord(claims)) return null;
  const { sub, role, exp } = claims;
  if (typeof sub !== 'string' || sub === '' || !isCount(exp)) return null;
  if (role !== 'publish' && role !== 'play') return null;
  return { broadcast: sub, role, expiresMs: exp * 1_000 };
}

function decode(payload: string): unknown {
  try {
    const base64 = payload.replaceAll('-', '+').replaceAll('_', '/');
    const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return null;
  }
}
