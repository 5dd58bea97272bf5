/** A plain page that is no page of the relay's, with the package's files from yet another origin, as from a CDN. */

import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '../../..');
const FILES = join(ROOT, 'web/package-dist');

export class OtherOrigin {
  readonly origin: string;
  readonly #servers: Server[];

  private constructor(origin: string, servers: Server[]) {
    this.origin = origin;
    this.#servers = servers;
  }

  /** Makes the package anew, and serves what `page` gives, which takes where the package's files are. */
  static async start(
    page: (files: string) => { html: string; policy: string },
  ): Promise<OtherOrigin> {
    execFileSync('npm', ['run', 'package', '--workspace', 'web', '--silent'], {
      cwd: ROOT,
      stdio: 'ignore',
    });
    const files = createServer(serveFile);
    const { html, policy } = page(await listen(files));
    const app = createServer((_, answer) => {
      answer.setHeader('content-type', 'text/html; charset=utf-8');
      answer.setHeader('content-security-policy', policy);
      answer.end(html);
    });
    return new OtherOrigin(await listen(app), [files, app]);
  }

  async close(): Promise<void> {
    for (const server of this.#servers) {
      server.closeAllConnections();
      server.close();
    }
  }
}

const serveFile: RequestListener = ({ url = '/' }, answer) => {
  readFile(join(FILES, resolve('/', url))).then(
    (bytes) => {
      answer.setHeader('content-type', 'text/javascript');
      answer.setHeader('access-control-allow-origin', '*');
      answer.end(bytes);
    },
    () => answer.writeHead(404).end(),
  );
};

async function listen(server: Server): Promise<string> {
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
