/**
 * A narrow path to a relay: everything that goes to and from it, pages as well as sessions, shares one
 * link in each direction, with so many bits a second and so long a way. Connections take turns packet
 * by packet. It loses nothing but datagrams that have no room, and TCP knows no slow start here.
 */

import { createSocket, type Socket as Datagrams } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

export interface PathOptions {
  kbps: number;
  /** There and back. */
  rttMs: number;
}

const PACKET_BYTES = 1_400;
/** Of IP and TCP, or IP and UDP with what a link adds. */
const HEADER_BYTES = 40;
/** What waits for its turn: of a connection, which is read no further then, and of datagrams, which go lost. */
const ROOM_BYTES = 24_000;

/** What one connection, or one peer that sends datagrams, has on its way. */
interface Flow {
  waiting: { bytes: Buffer; arrive: (bytes: Buffer) => void }[];
  size: number;
  sent: () => void;
}

/** One direction. */
class Link {
  readonly #options: PathOptions;
  readonly #flows: Flow[] = [];
  #freeMs = 0;
  #busy = false;
  #closed = false;
  /** What has arrived at its end, headers included. */
  bytes = 0;

  constructor(options: PathOptions) {
    this.#options = options;
  }

  flow(sent: () => void = () => undefined): Flow {
    return { waiting: [], size: 0, sent };
  }

  send(flow: Flow, bytes: Buffer, arrive: (bytes: Buffer) => void): void {
    flow.waiting.push({ bytes, arrive });
    flow.size += bytes.length;
    if (!this.#flows.includes(flow)) this.#flows.push(flow);
    this.#next();
  }

  /** Whatever is on its way arrives no more. */
  close(): void {
    this.#closed = true;
  }

  #next(): void {
    if (this.#busy) return;
    const flow = this.#flows.shift();
    const first = flow?.waiting.shift();
    if (flow === undefined || first === undefined) return;
    const { bytes, arrive } = first;
    if (flow.waiting.length > 0) this.#flows.push(flow);
    const whole = bytes.length + HEADER_BYTES;
    const nowMs = performance.now();
    this.#freeMs = Math.max(nowMs, this.#freeMs) + (whole * 8) / this.#options.kbps;
    this.#busy = true;
    setTimeout(() => {
      this.#busy = false;
      flow.size -= bytes.length;
      flow.sent();
      setTimeout(() => {
        if (this.#closed) return;
        this.bytes += whole;
        arrive(bytes);
      }, this.#options.rttMs / 2);
      this.#next();
    }, this.#freeMs - nowMs);
  }
}

export class NarrowPath {
  readonly #options: PathOptions;
  readonly #up: Link;
  readonly #down: Link;
  readonly #closers: (() => void)[] = [];
  #port = 0;

  private constructor(options: PathOptions) {
    this.#options = options;
    this.#up = new Link(options);
    this.#down = new Link(options);
  }

  /** To the relay at `target`, as in `http://127.0.0.1:4433`. */
  static async start(target: string, options: PathOptions): Promise<NarrowPath> {
    const path = new NarrowPath(options);
    const { port } = new URL(target);
    await path.#carryConnections(Number(port));
    await path.#carryDatagrams(Number(port));
    return path;
  }

  get origin(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** What has come down so far, headers included. */
  get bytesDown(): number {
    return this.#down.bytes;
  }

  async close(): Promise<void> {
    this.#up.close();
    this.#down.close();
    for (const close of this.#closers) close();
  }

  async #carryConnections(target: number): Promise<void> {
    const server = createServer((client) => this.#connected(client, target));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port to be had');
    this.#port = address.port;
    this.#closers.push(() => server.close());
  }

  #connected(client: Socket, target: number): void {
    const relay = connect(target, '127.0.0.1');
    for (const socket of [client, relay]) {
      socket.setNoDelay(true);
      this.#closers.push(() => socket.destroy());
    }
    // The handshake that the machine has made by itself takes its time on a real path.
    client.pause();
    setTimeout(() => client.resume(), this.#options.rttMs);
    carry(this.#up, client, relay);
    carry(this.#down, relay, client);
  }

  async #carryDatagrams(target: number): Promise<void> {
    const server = createSocket('udp4');
    const peers = new Map<number, Datagrams>();
    server.on('message', (bytes, { port }) => {
      const known = peers.get(port);
      const peer = known ?? createSocket('udp4');
      if (known === undefined) {
        peers.set(port, peer);
        this.#closers.push(() => peer.close());
        const down = this.#down.flow();
        peer.on('message', (back) => {
          if (down.size > ROOM_BYTES) return;
          this.#down.send(down, back, (arrived) => server.send(arrived, port, '127.0.0.1'));
        });
      }
      this.#up.send(this.#up.flow(), bytes, (arrived) => peer.send(arrived, target, '127.0.0.1'));
    });
    server.bind(this.#port, '127.0.0.1');
    await once(server, 'listening');
    this.#closers.push(() => server.close());
  }
}

/** Lets what comes from one socket arrive at the other, and the end of it after that. */
function carry(link: Link, from: Socket, to: Socket): void {
  const flow = link.flow(() => {
    if (flow.size < ROOM_BYTES && !from.destroyed) from.resume();
  });
  from.on('data', (data: Buffer) => {
    for (let at = 0; at < data.length; at += PACKET_BYTES) {
      link.send(flow, data.subarray(at, at + PACKET_BYTES), (bytes) => {
        if (!to.destroyed) to.write(bytes);
      });
    }
    if (flow.size >= ROOM_BYTES) from.pause();
  });
  from.on('error', () => to.destroy());
  from.on('close', () => {
    link.send(flow, Buffer.alloc(0), () => to.end());
  });
}
