/**
 * What stands between a browser and its relay and changes what the relay sends, as a relay could that means ill: on
 * connections in plain text, so that nothing notices but who looks into the frames.
 */

import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

const HOST = '127.0.0.1';
/** More than a message about something else has: a picture, or a part of one. */
const PICTURE_BYTES = 600;
/** So far before the end of a message there is a picture's, and neither its header nor the next one. */
const INSIDE = 20;

export class Meddler {
  readonly #target: number;
  readonly #closers: (() => void)[] = [];
  #port = 0;
  #left = 0;
  /** So many pictures were changed. */
  changed = 0;

  private constructor(target: number) {
    this.#target = target;
  }

  /** In front of the relay at `target`, as in `http://127.0.0.1:4433`. */
  static async start(target: string): Promise<Meddler> {
    const meddler = new Meddler(Number(new URL(target).port));
    const server = createServer((client) => meddler.#connected(client));
    server.listen(0, HOST);
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port to be had');
    meddler.#port = address.port;
    meddler.#closers.push(() => server.close());
    return meddler;
  }

  get origin(): string {
    return `http://${HOST}:${this.#port}`;
  }

  /** Changes a bit of the next picture that the relay sends. */
  meddle(): void {
    this.#left += 1;
  }

  async close(): Promise<void> {
    for (const close of this.#closers) close();
  }

  #connected(client: Socket): void {
    const relay = connect(this.#target, HOST);
    for (const [from, to] of [
      [client, relay],
      [relay, client],
    ] as const) {
      from.setNoDelay(true);
      from.on('error', () => to.destroy());
      from.on('close', () => to.destroy());
      this.#closers.push(() => from.destroy());
    }
    client.pipe(relay);
    const ends = new MessageEnds();
    relay.on('data', (bytes: Buffer) => {
      for (const end of ends.in(bytes)) this.#see(bytes, end);
      if (!client.write(bytes)) relay.pause();
    });
    client.on('drain', () => relay.resume());
  }

  /** A message ends here. */
  #see(bytes: Buffer, { at, length }: MessageEnd): void {
    const place = at - INSIDE;
    if (this.#left === 0 || length < PICTURE_BYTES || place < 0) return;
    this.#left -= 1;
    this.changed += 1;
    bytes[place] = (bytes[place] ?? 0) ^ 1;
  }
}

interface MessageEnd {
  /** Where the next one begins, in the piece that was just read. */
  at: number;
  length: number;
}

/** Finds where the messages of a WebSocket end that a server sends (RFC 6455, 5.2), whatever pieces they come in. */
class MessageEnds {
  #open = false;
  #header: number[] = [];
  #length = 0;
  #left = 0;

  in(bytes: Buffer): MessageEnd[] {
    const found: MessageEnd[] = [];
    let at = this.#open ? 0 : this.#opens(bytes);
    while (at < bytes.length) {
      if (this.#left === 0) {
        this.#header.push(bytes[at] ?? 0);
        at += 1;
        this.#left = this.#length = lengthOf(this.#header);
        if (this.#left > 0) this.#header = [];
        continue;
      }
      const step = Math.min(this.#left, bytes.length - at);
      at += step;
      this.#left -= step;
      if (this.#left === 0) found.push({ at, length: this.#length });
    }
    return found;
  }

  /** Behind the answer that makes a connection a WebSocket. */
  #opens(bytes: Buffer): number {
    if (!bytes.subarray(0, 12).equals(Buffer.from('HTTP/1.1 101'))) return bytes.length;
    this.#open = true;
    return bytes.indexOf('\r\n\r\n') + 4;
  }
}

/** Of a message's payload; 0: its header is not whole yet, for none is empty here. */
function lengthOf(header: readonly number[]): number {
  const short = (header[1] ?? 0) & 0x7f;
  const size = short === 127 ? 10 : short === 126 ? 4 : 2;
  if (header.length < size) return 0;
  return size === 2 ? short : header.slice(2).reduce((sum, byte) => sum * 256 + byte, 0);
}
