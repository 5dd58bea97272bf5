/** Serves files of somebody else's, at an origin of their own. */

import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, resolve } from 'node:path';

export interface Served {
  headers?: Record<string, string>;
  body: string | Uint8Array;
}

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
};

export class WebServer {
  readonly origin: string;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    this.origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  /** Serves what that gives for a path; null: nothing. */
  static async start(serve: (path: string) => Promise<Served | null>): Promise<WebServer> {
    const server = createServer(({ url = '/' }, answer) => {
      const { pathname } = new URL(url, 'http://any');
      void serve(pathname).then((served) => {
        if (served === null) return answer.writeHead(404).end();
        const type = TYPES[extname(pathname)] ?? TYPES['.html'];
        return answer.writeHead(200, { 'content-type': type, ...served.headers }).end(served.body);
      });
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    return new WebServer(server);
  }

  /** Serves a folder, and `index.html` for what is none of its files. */
  static ofFolder(
    folder: string,
    headersOf: (path: string) => Record<string, string> = () => ({}),
  ): Promise<WebServer> {
    return WebServer.start(async (path) => {
      const read = (name: string) => readFile(join(folder, resolve('/', name)));
      const file = extname(path) === '' ? 'index.html' : path;
      return read(file).then(
        (body) => ({ headers: headersOf(path), body }),
        () => null,
      );
    });
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}
