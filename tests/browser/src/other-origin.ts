/** Plain pages that are no pages of the relay's, with the package's files from yet another origin, as from a CDN. */

import { execFileSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import { type Served, WebServer } from './web-server.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
const FILES = join(ROOT, 'web/package-dist');

export class OtherOrigin {
  readonly origin: string;
  readonly #servers: WebServer[];

  private constructor(pages: WebServer, files: WebServer) {
    this.origin = pages.origin;
    this.#servers = [pages, files];
  }

  /** Makes the package anew, and serves the pages that `make` gives by path, which takes where the package's files are. */
  static async start(make: (files: string) => Record<string, Served>): Promise<OtherOrigin> {
    execFileSync('npm', ['run', 'package', '--workspace', 'web', '--silent'], {
      cwd: ROOT,
      stdio: 'ignore',
    });
    const files = await WebServer.ofFolder(FILES, () => ({
      'access-control-allow-origin': '*',
    }));
    const pages = make(files.origin);
    return new OtherOrigin(await WebServer.start(async (path) => pages[path] ?? null), files);
  }

  async close(): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.close()));
  }
}
