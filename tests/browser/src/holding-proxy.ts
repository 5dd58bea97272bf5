/** A reverse proxy as some are by default: passes an answer on once it has all of it. */

import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export class HoldingProxy {
  readonly origin: string;
  readonly #close: () => Promise<void>;
  /** Answers that began, and of which nobody ever saw anything. */
  withheld = 0;

  private constructor(origin: string, close: () => Promise<void>) {
    this.origin = origin;
    this.#close = close;
  }

  /** In front of what is at `target`. */
  static async start(target: string): Promise<HoldingProxy> {
    const server = createServer((incoming, answer) => proxy.#pass(target, incoming, answer));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const proxy = new HoldingProxy(`http://127.0.0.1:${port}`, async () => {
      server.closeAllConnections();
      server.close();
    });
    return proxy;
  }

  close(): Promise<void> {
    return this.#close();
  }

  #pass(target: string, incoming: IncomingMessage, answer: ServerResponse): void {
    const { method, headers } = incoming;
    const outgoing = request(new URL(incoming.url ?? '/', target), { method, headers }, (reply) => {
      const pieces: Buffer[] = [];
      reply.on('data', (piece: Buffer) => pieces.push(piece));
      reply.on('close', () => {
        if (!reply.complete) this.withheld += 1;
      });
      reply.on('end', () => {
        answer.writeHead(reply.statusCode ?? 502, reply.headers);
        answer.end(Buffer.concat(pieces));
      });
    });
    // Who asked has gone, or the target has: either way nobody waits for anything any more.
    outgoing.on('error', () => answer.destroy());
    answer.on('close', () => outgoing.destroy());
    incoming.pipe(outgoing);
  }
}
