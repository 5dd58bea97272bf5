/**
 * A session's streams over a WebSocket (PROTOCOL 10), by QMux: QUIC's streams, resets, flow control and datagrams as
 * messages of one connection. A file of its own in what is built: it comes to those only who need it.
 */

import './with-resolvers.ts';
import Session from '@moq/qmux';
import type { Transport } from '../transport.ts';
import { RoomyDatagrams } from './datagrams.ts';
import { type Socket, SocketStreams } from './socket.ts';

/** The draft of QMux, and what it carries. */
export const SUBPROTOCOL = 'qmux-02.steadycast';

/**
 * How far the relay may be ahead of what the page has read. It bounds by itself what is on its way, so this binds
 * only where the page is slow: a stream has room for two of the largest frames, for grants come at half of it.
 */
const CONFIG = {
  maxData: 16n * 1_048_576n,
  maxStreamDataUni: 8n * 1_048_576n,
  maxStreamDataBidiLocal: 1_048_576n,
  maxStreamDataBidiRemote: 0n,
  maxStreamsBidi: 0n,
  maxStreamsUni: 128n,
};

/** Opens one; `make` is for tests. */
export function openWebSocket(
  url: URL,
  make: (url: URL, protocol: string) => Socket = (to, protocol) => new WebSocket(to, protocol),
): Transport {
  const socket = new SocketStreams(make(url, SUBPROTOCOL), SUBPROTOCOL);
  const session = new Session(socket, { config: CONFIG });
  return {
    carrier: 'websocket',
    ready: session.ready,
    closed: session.closed,
    incomingUnidirectionalStreams: session.incomingUnidirectionalStreams,
    datagrams: new RoomyDatagrams(session.datagrams, socket),
    createBidirectionalStream: () => session.createBidirectionalStream(),
    createUnidirectionalStream: () => session.createUnidirectionalStream(),
    close: (info) => session.close(info),
  };
}
