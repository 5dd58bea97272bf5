/** What panels and hosts of a broadcast know each other by, asked of the relay (PROTOCOL 7.2). */

import { isRecord, isText } from '../session/parse.ts';
import { at } from '../session/place.ts';
import { Places } from '../session/places.ts';

const TIMEOUT_MS = 5_000;

export class PanelSecret {
  readonly #places: Places;
  readonly #broadcast: string;
  readonly #token: string;

  constructor(origin: string, broadcast: string, token: string) {
    this.#places = new Places(origin, () => 'silent');
    this.#broadcast = broadcast;
    this.#token = token;
  }

  /** Null: no relay answers, or none says it to this token. */
  async ask(): Promise<string | null> {
    return this.#places.ask((relay) => this.#askAt(relay)).catch(() => null);
  }

  async #askAt(relay: string): Promise<string | null> {
    const url = at(relay, `api/broadcasts/${encodeURIComponent(this.#broadcast)}`);
    const answer = await fetch(url, {
      cache: 'no-store',
      credentials: 'omit',
      headers: { authorization: `Bearer ${this.#token}` },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const facts: unknown = answer.ok ? await answer.json() : null;
    return isRecord(facts) && isText(facts['panelSecret']) ? facts['panelSecret'] : null;
  }
}
