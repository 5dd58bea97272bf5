/** Tokens as PROTOCOL 6.1 has them, made by hand, so that they can be wrong in any way. */

import { createHmac } from 'node:crypto';

export interface TokenFacts {
  broadcast: string;
  role: 'publish' | 'play';
  /** Seconds from now; negative: it has expired. */
  expiresInS: number;
}

export function signToken({ broadcast, role, expiresInS }: TokenFacts, key: Uint8Array): string {
  const nowS = Math.floor(Date.now() / 1_000);
  const claims = {
    aud: 'steadycast',
    sub: broadcast,
    role,
    iat: nowS + Math.min(0, expiresInS) - 60,
    exp: nowS + expiresInS,
  };
  const signed = `${part({ typ: 'JWT', alg: 'HS256' })}.${part(claims)}`;
  return `${signed}.${createHmac('sha256', key).update(signed).digest('base64url')}`;
}

function part(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
