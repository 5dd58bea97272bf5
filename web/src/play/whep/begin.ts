/** How a WHEP session begins: an offer, and the relay's answer. */

import type { Peer } from './peer.ts';
import { type Answer, type Offer, offer } from './signal.ts';

/**
 * A session under way. It connects once there is something to show it: of what came before, a track
 * gives nothing to a video, and a screen at rest brings nothing more.
 */
export interface Beginning {
  peer: Peer;
  offer: Promise<string>;
  /** Rejects with SessionError. */
  answer: Promise<Answer>;
}

/** Offers to receive. */
export function begin(peer: Peer, request: Omit<Offer, 'sdp'>): Beginning {
  const sdp = peer.offer();
  const answer = sdp.then((text) => offer({ ...request, sdp: text }));
  return { peer, offer: sdp, answer };
}
