/** Datagrams over a WebSocket: what comes before there is room waits outside, where it is bounded and counted. */

import type { DatagramDuplex } from '../datagrams.ts';

/** Says when there is room for more. */
interface Room {
  room(): Promise<void>;
}

export class RoomyDatagrams implements DatagramDuplex {
  /** QMux keeps 1,024 for a page that does not read them, and drops what comes then. */
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
  /** Nothing that was written is old: what waits is at the sender, where newer ones replace it. */
  outgoingMaxAge: number | null = null;
  incomingHighWaterMark = 1;

  constructor(
    inner: Pick<DatagramDuplex, 'readable'> & { writable: WritableStream<Uint8Array> },
    socket: Room,
  ) {
    this.readable = inner.readable;
    const writer = inner.writable.getWriter();
    writer.closed.catch(() => undefined);
    this.writable = new WritableStream<Uint8Array>({
      write: async (bytes) => {
        await writer.write(bytes);
        // QMux itself says so as soon as it has one, however many others wait there.
        await socket.room();
      },
    });
  }
}
