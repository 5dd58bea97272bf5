/** What a token says of itself (PROTOCOL 6); for display, as only the relay can check it. */

import { isCount, isRecord, oneOf } from './parse.ts';

export type TokenRole = 'publish' | 'play' | 'admin';

export interface TokenClaims {
  /** The broadcast's id. */
  broadcast: string;
  roles: readonly TokenRole[];
  /** Unix milliseconds. */
  expiresMs: number;
  /** Sessions end then too; else only new ones are refused. */
  endsAccess: boolean;
  /** Of the broadcast's links (PROTOCOL 6.3); null: it is none of the relay's own. */
  generation: number | null;
}

/** Null for anything that is not a token of ours, and for one that is for more than one broadcast. */
export function readToken(token: string): TokenClaims | null {
  const [, payload] = token.split('.');
  if (payload === undefined) return null;
  const claims = decode(payload);
  if (!isRecord(claims) || !isCount(claims['exp'])) return null;
  const grant = isRecord(claims['steadycast']) ? claims['steadycast'] : early(claims);
  const { broadcast, roles, expiry, generation } = grant;
  if (typeof broadcast !== 'string' || broadcast === '' || broadcast.endsWith('*')) return null;
  if (!Array.isArray(roles) || !roles.every(isRole)) return null;
  const endsAccess = expiry === 'stay_until';
  return {
    broadcast,
    roles,
    expiresMs: claims['exp'] * 1_000,
    endsAccess,
    generation: isCount(generation) ? generation : null,
  };
}

/** Tokens of relays up to 0.1 (PROTOCOL 6.4). */
function early({ sub, role }: Record<string, unknown>): Record<string, unknown> {
  return { broadcast: sub, roles: [role] };
}

const isRole = oneOf(['publish', 'play', 'admin']);

function decode(payload: string): unknown {
  try {
    const base64 = payload.replaceAll('-', '+').replaceAll('_', '/');
    const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return null;
  }
}
