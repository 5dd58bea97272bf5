/** The way to a relay over TCP, where a network lets no UDP through. */

import { connectionWords } from '../../words/connection.ts';
import { SessionError, unreachable } from '../error.ts';
import { at } from '../place.ts';
import { type Connect, READY_TIMEOUT_MS, settled, type Transport } from '../transport.ts';

/** Where the sessions of the relay at `relay` are: on its pages' own port, whatever proxy stands before it. */
export function webSocketUrl(relay: string): URL {
  const url = at(relay, 'session');
  url.protocol = url.protocol === 'http:' ? 'ws:' : 'wss:';
  return url;
}

export function webSocketWorks(): boolean {
  return 'WebSocket' in globalThis;
}

/** How sessions with the relay at `relay` are opened over WebSocket. It throws SessionError. */
export function connectWebSocket(relay: string): Connect {
  return async (_endpoint, signal) => {
    signal.throwIfAborted();
    if (!webSocketWorks()) {
      throw new SessionError('unsupported', 'this browser opens no WebSocket here');
    }
    let transport: Transport | null = null;
    try {
      const { openWebSocket } = await import('./qmux.ts');
      signal.throwIfAborted();
      transport = openWebSocket(webSocketUrl(relay));
      await settled(transport.ready, READY_TIMEOUT_MS, signal);
      return transport;
    } catch (error) {
      transport?.close();
      signal.throwIfAborted();
      throw unreachable(connectionWords().unopened, error);
    }
  };
}
