/** Until when a link opens its page, and what its end means for those who are inside; pure. */

import { parseFragment } from '../session/fragment.ts';
import { readToken } from '../session/token.ts';

export interface Life {
  /** Unix milliseconds. */
  endsMs: number;
  /** Whoever is inside goes as well (PROTOCOL 6.1, `stay_until`). */
  endsAccess: boolean;
}

/** Null where the link does not say: tokens of others need not be read here. */
export function lifeOf(link: string): Life | null {
  const { token } = parseFragment(new URL(link).hash);
  const claims = token === null ? null : readToken(token);
  return claims && { endsMs: claims.expiresMs, endsAccess: claims.endsAccess };
}
