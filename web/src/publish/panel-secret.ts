/** What panels and hosts of a broadcast know each other by, asked of the relay (PROTOCOL 7.2). */

import { isRecord, isText } from '../session/parse.ts';
import { at } from '../session/place.ts';

const TIMEOUT_MS = 5_000;

/** Null: the relay does not answer, or does not say it to this token. */
export async function askPanelSecret(
  origin: string,
  broadcast: string,
  token: string,
): Promise<string | null> {
  try {
    const answer = await fetch(at(origin, `api/broadcasts/${encodeURIComponent(broadcast)}`), {
      cache: 'no-store',
      credentials: 'omit',
      headers: { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const facts: unknown = answer.ok ? await answer.json() : null;
    return isRecord(facts) && isText(facts['panelSecret']) ? facts['panelSecret'] : null;
  } catch {
    return null;
  }
}
