/**
 * A network between a browser and a relay that lets TCP through, and of UDP nothing, without a word; later it may let
 * UDP through as well, or every flow of it for a while only. What relays say of where their WebRTC is leads nowhere, over UDP and over TCP.
 */

import { createSocket, type Socket as Datagrams } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

const HOST = '127.0.0.1';

export class TcpOnly {
  readonly #target: number;
  readonly #closers: (() => void)[] = [];
  #port = 0;
  /** Where WebRTC is looked for in vain. */
  #nowhere = 0;
  /** For how long a flow of UDP is carried from its first datagram on. */
  #flowMs = 0;
  /** Connections that were opened before now carry nothing any more, and do not end either. */
  #dead = new Set<Socket>();
  #alive = new Set<Socket>();
  /** Datagrams that nobody has ever heard of again. */
  swallowed = 0;

  private constructor(target: number) {
    this.#target = target;
  }

  /** To the relay at `target`, as in `http://127.0.0.1:4433`. */
  static async start(target: string): Promise<TcpOnly> {
    const network = new TcpOnly(Number(new URL(target).port));
    await network.#carryConnections();
    network.#nowhere = await network.#swallow();
    await network.#carryDatagrams();
    return network;
  }

  get origin(): string {
    return `http://${HOST}:${this.#port}`;
  }

  /** From now on WebTransport comes through; each flow for so long, and nothing of it after that. */
  letUdpThrough(flowMs = Number.POSITIVE_INFINITY): void {
    this.#flowMs = flowMs;
  }

  /** How many are connected. */
  get connections(): number {
    return this.#alive.size;
  }

  /** Whatever is connected now is cut off without a word, in both directions; who connects anew is carried. */
  cutOff(): void {
    for (const client of this.#alive) this.#dead.add(client);
    this.#alive.clear();
  }

  async close(): Promise<void> {
    for (const close of this.#closers) close();
  }

  async #carryConnections(): Promise<void> {
    const server = createServer((client) => this.#connected(client));
    server.listen(0, HOST);
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port to be had');
    this.#port = address.port;
    this.#closers.push(() => server.close());
  }

  #connected(client: Socket): void {
    const relay = connect(this.#target, HOST);
    this.#alive.add(client);
    client.on('close', () => this.#alive.delete(client));
    for (const [from, to] of [
      [client, relay],
      [relay, client],
    ] as const) {
      from.setNoDelay(true);
      from.on('error', () => to.destroy());
      from.on('close', () => {
        if (!this.#dead.has(client)) to.destroy();
      });
      this.#closers.push(() => from.destroy());
    }
    client.on('data', (bytes: Buffer) => {
      if (this.#dead.has(client)) return;
      if (!relay.write(bytes)) client.pause();
    });
    relay.on('drain', () => client.resume());
    relay.on('data', (bytes: Buffer) => {
      if (this.#dead.has(client)) return;
      if (!client.write(this.#misled(bytes))) relay.pause();
    });
    client.on('drain', () => relay.resume());
  }

  /** An answer's candidates, with another port of as many digits. */
  #misled(bytes: Buffer): Buffer {
    if (!bytes.includes('a=candidate:')) return bytes;
    const text = bytes.toString('latin1');
    return Buffer.from(
      text.replaceAll(` ${this.#target} typ `, ` ${this.#nowhere} typ `),
      'latin1',
    );
  }

  async #swallow(): Promise<number> {
    const socket = createSocket('udp4');
    socket.on('message', () => {
      this.swallowed += 1;
    });
    socket.bind(0, HOST);
    await once(socket, 'listening');
    this.#closers.push(() => socket.close());
    return socket.address().port;
  }

  #carries({ sinceMs }: { sinceMs: number }): boolean {
    return performance.now() - sinceMs < this.#flowMs;
  }

  async #carryDatagrams(): Promise<void> {
    const server = createSocket('udp4');
    const flows = new Map<number, { peer: Datagrams; sinceMs: number }>();
    const flowOf = (port: number) => {
      const known = flows.get(port);
      if (known !== undefined) return known;
      const flow = { peer: createSocket('udp4'), sinceMs: performance.now() };
      flow.peer.on('message', (back) => {
        if (this.#carries(flow)) server.send(back, port, HOST);
      });
      flows.set(port, flow);
      this.#closers.push(() => flow.peer.close());
      return flow;
    };
    server.on('message', (bytes, { port }) => {
      const flow = this.#flowMs > 0 ? flowOf(port) : null;
      if (flow !== null && this.#carries(flow)) flow.peer.send(bytes, this.#target, HOST);
      else this.swallowed += 1;
    });
    server.bind(this.#port, HOST);
    await once(server, 'listening');
    this.#closers.push(() => server.close());
  }
}
