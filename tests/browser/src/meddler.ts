/**
 * What stands between a browser and its relay and changes what the relay sends, as a relay could that means ill: on
 * connections in plain text, so that nothing notices but who looks into the frames.
 */

import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

const HOST = '127.0.0.1';
/** More than a message about something else has: a picture, or a part of one. */
const PICTURE_BYTES = 600;

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
    relay.on('data', (bytes: Buffer) => {
      if (!client.write(this.#passed(bytes))) relay.pause();
    });
    client.on('drain', () => relay.resume());
  }

  #passed(bytes: Buffer): Buffer {
    if (this.#left === 0 || bytes.length < PICTURE_BYTES) return bytes;
    this.#left -= 1;
    this.changed += 1;
    const middle = bytes.length >> 1;
    bytes[middle] = (bytes[middle] ?? 0) ^ 1;
    return bytes;
  }
}
