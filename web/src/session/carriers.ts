/** What a session may run on. */

import { type CarrierName, type Connect, connectWebTransport } from './transport.ts';
import { connectWebSocket } from './websocket/connect.ts';

/** How sessions with the relay at `relay` are opened on this carrier. */
export function connectBy(carrier: CarrierName, relay: string): Connect {
  return carrier === 'websocket' ? connectWebSocket(relay) : connectWebTransport;
}
