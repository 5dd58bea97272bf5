/** What a broadcast is called (PROTOCOL 7). */

import { isRecord, isText } from '../session/parse.ts';
import { at } from '../session/place.ts';

const TIMEOUT_MS = 8_000;

/** For whoever may watch it. Null where the relay does not say, or nothing worth saying. */
export async function readTitle(
  origin: string,
  broadcast: string,
  token: string,
): Promise<string | null> {
  try {
    const answer = await fetch(
      at(origin, `api/broadcasts/${encodeURIComponent(broadcast)}/title`),
      {
        cache: 'no-store',
        credentials: 'omit',
        headers: { authorization: `Bearer ${token}` },
        signal: AbortSignal.timeout(TIMEOUT_MS),
      },
    );
    const said: unknown = answer.ok ? await answer.json() : null;
    return isRecord(said) && isText(said['title']) && said['title'] !== '' ? said['title'] : null;
  } catch {
    return null;
  }
}
