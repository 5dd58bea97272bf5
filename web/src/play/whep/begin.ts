/** How a WHEP session begins: an offer, the relay's answer, a connection. */

import type { Peer } from './peer.ts';
import { type Answer, type Offer, offer } from './signal.ts';

/** A session under way. */
export interface Beginning {
  peer: Peer;
  /** Rejects with SessionError. */
  answer: Promise<Answer>;
  /** Rejects with SessionError, or the abort's reason. */
  connected: Promise<void>;
}

/** Offers to receive, and connects to the relay that answers. */
export function begin(peer: Peer, request: Omit<Offer, 'sdp'>, signal: AbortSignal): Beginning {
  const sdp = peer.offer();
  const answer = sdp.then((text) => offer({ ...request, sdp: text }));
  const connected = Promise.all([sdp, answer]).then(([text, answered]) => {
    signal.throwIfAborted();
    return peer.connect(text, answered, signal);
  });
  // Who waits for the answer hears of its failure there.
  connected.catch(() => undefined);
  return { peer, answer, connected };
}
