/** Pages of earlier versions, as the relays of their time served them; see `pages/README.md`. */

import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { extname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import type { BrowserContext, Route } from 'playwright-core';

/** The versions of which there is a build. */
export const VERSIONS = [1, 2] as const;

export type OldVersion = (typeof VERSIONS)[number];

interface Build {
  /** By the path of its URL. */
  files: Map<string, { body: Buffer; type: string }>;
  headers: Record<string, string>;
}

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/**
 * From now on the pages that are opened in `context` are those of `version`, whatever their relay
 * has. Returns how to end that: then nothing but what is open is left of them, as after an upgrade.
 */
export async function serveOldPages(
  context: BrowserContext,
  version: OldVersion,
): Promise<() => Promise<void>> {
  const { files, headers } = await unpack(version);
  const isTheirs = ({ pathname }: URL) => files.has(pathname);
  const answer = async (route: Route) => {
    const file = files.get(new URL(route.request().url()).pathname);
    if (file === undefined) return route.fallback();
    await route.fulfill({ body: file.body, contentType: file.type, headers });
  };
  // Of a page that did not come from this machine's network, the browser thinks the worst.
  await context.grantPermissions(['local-network-access']);
  await context.route(isTheirs, answer);
  return () => context.unroute(isTheirs, answer);
}

async function unpack(version: OldVersion): Promise<Build> {
  const archive = join(import.meta.dirname, `../pages/v${version}.tar.gz`);
  const directory = await mkdtemp(join(tmpdir(), 'steadycast-pages-'));
  try {
    await promisify(execFile)('tar', ['-xzf', archive, '-C', directory]);
    return await read(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function read(directory: string): Promise<Build> {
  const headers = JSON.parse(await readFile(join(directory, 'headers.json'), 'utf8'));
  const files: Build['files'] = new Map();
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  for (const entry of entries.filter((entry) => entry.isFile())) {
    const path = join(entry.parentPath, entry.name);
    const type = TYPES[extname(path)];
    if (type === undefined) continue;
    files.set(urlPath(relative(directory, path)), { body: await readFile(path), type });
  }
  return { files, headers };
}

/** Pages go without their ending (PROTOCOL 7.3). */
function urlPath(name: string): string {
  if (name === 'index.html') return '/';
  return `/${name.replace(/\.html$/, '')}`;
}
