/**
 * The first session over WebRTC, begun before the page has drawn itself: the relay answers while the
 * page's scripts are still on their way. Used once.
 */

import { readToken } from '../../session/token.ts';
import { EndpointOnce } from '../once.ts';
import { type Beginning, begin } from './begin.ts';
import { Peer } from './peer.ts';
import { leave } from './signal.ts';

/** The relay waits ten seconds for a client (PROTOCOL 8.4), and connecting takes some of them. */
const TAKEN_WITHIN_MS = 5_000;

export class Early {
  readonly relay: EndpointOnce;
  #begun: Beginning | null;

  /** Begins at once. `token` is a play token of `broadcast`. */
  constructor(
    readonly origin: string,
    readonly token: string,
    broadcast: string,
    peer = new Peer(),
  ) {
    this.relay = new EndpointOnce(origin);
    this.#begun = begin(peer, { origin, broadcast, token });
    this.#begun.answer.catch(() => undefined);
    setTimeout(() => this.#giveUp(), TAKEN_WITHIN_MS);
  }

  /** The session under way; null: somebody was here before, or nobody was in time. */
  take(): Beginning | null {
    const begun = this.#begun;
    this.#begun = null;
    return begun;
  }

  #giveUp(): void {
    const begun = this.take();
    if (begun === null) return;
    begun.peer.close();
    begun.answer.then(({ session }) => leave(session, this.token)).catch(() => undefined);
  }
}

let early: Early | null = null;

/** Begins a session for whoever will play with this token. */
export async function prepareSession(origin: string, token: string): Promise<void> {
  const broadcast = readToken(token)?.broadcast;
  if (broadcast !== undefined && early === null) early = new Early(origin, token, broadcast);
}

/** What was prepared for this relay and token; null: nothing. */
export function takeEarly(origin: string, token: string): Early | null {
  const prepared = early?.origin === origin && early.token === token ? early : null;
  if (prepared !== null) early = null;
  return prepared;
}
