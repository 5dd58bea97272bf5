import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from 'vitest';

const WEB = resolve(import.meta.dirname, '../../..');
/** Before the first picture, on whatever network. */
const MOST_BYTES = 100_000;
/** What sound is heard by, which comes once there is a picture. */
const SOUND = /\/(hearing|output|worklet)-/;
/** What only those fetch whose network lets no UDP through. */
const TCP = /\/qmux-/;
/** What it takes to go to another relay, which comes once there is a picture. */
const AWAY = /\/away-/;
/** What opens a private broadcast. */
const PRIVATE = /\/opening-/;
/** What a request and its answer have besides, at most. */
const HEADERS = 1_200;
/** What the page asks the relay for until then: where sessions are, whether it is there, what the broadcast is called. */
const REQUESTS = 3;

let dist = '';

beforeAll(() => {
  dist = mkdtempSync(join(tmpdir(), 'steadycast-pages-'));
  const vite = resolve(WEB, '../node_modules/vite/bin/vite.js');
  const { VITEST: _, NODE_ENV: __, ...env } = process.env;
  execFileSync(process.execPath, [vite, 'build', '--outDir', dist, '--logLevel', 'error'], {
    cwd: WEB,
    env,
  });
}, 120_000);

afterAll(() => rmSync(dist, { recursive: true, force: true }));

/** A page and all that it, or anything of it, names. */
function partsOf(page: string): Set<string> {
  const parts = new Set([page]);
  for (const part of parts) {
    if (!/\.(html|js|css)$/.test(part)) continue;
    const names = readFileSync(join(dist, part), 'utf8').match(/[\w-]+\.(?:js|css|svg)\b/g) ?? [];
    for (const name of names) {
      if (existsSync(join(dist, 'assets', name))) parts.add(`assets/${name}`);
    }
  }
  return parts;
}

/** As it goes to a browser. */
function sentBytes(part: string): number {
  const path = join(dist, part);
  return statSync(existsSync(`${path}.br`) ? `${path}.br` : path).size;
}

it('has the player at most 100 kB from its first picture', () => {
  const all = [...partsOf('play.html')];
  const APART = [SOUND, TCP, AWAY, PRIVATE];
  const parts = all.filter((part) => !APART.some((one) => one.test(part)));
  expect(
    all.filter((part) => SOUND.test(part)),
    'sound is in parts of its own',
  ).toHaveLength(3);
  expect(
    all.filter((part) => TCP.test(part)),
    'and so is WebSocket',
  ).toHaveLength(1);
  expect(
    all.filter((part) => AWAY.test(part)),
    'and so is what knows of other relays',
  ).toHaveLength(1);
  expect(
    all.filter((part) => PRIVATE.test(part)),
    'and so is what opens a private broadcast',
  ).toHaveLength(1);
  const workers = parts.filter((part) => part.includes('/worker-'));
  expect(workers, 'the player has one worker, and nothing of the host').toHaveLength(1);
  const sizes = parts.map((part) => `${sentBytes(part)} ${part}`);
  const sent = parts.reduce((sum, part) => sum + sentBytes(part), 0);
  const fetched = sent + (parts.length + REQUESTS) * HEADERS;
  expect(fetched, sizes.join('\n')).toBeLessThanOrEqual(MOST_BYTES);
});

it('says Joining in the document itself, which waits for no other file', () => {
  const page = readFileSync(join(dist, 'play.html'), 'utf8');
  expect(page).toMatch(/<p [^>]*class="player-title"[^>]*>Joining…<\/p>/);
  expect(page).toMatch(/<p data-words="[^"]*Verbinden…[^"]*" class="player-title">/);
  expect(page).toMatch(/<style>[\s\S]*\.player-card\{[\s\S]*<\/style>/);
  expect(page).not.toContain('rel="stylesheet"');
  // Two that set language and theme, and are in the document as well.
  expect(page.match(/<script(?![^>]*type="module")[^>]*>/g)).toEqual(['<script>', '<script>']);
  // The path to the first picture: the worker, and the player.
  for (const part of ['worker', 'PlayerStreamService']) {
    expect(page).toMatch(new RegExp(`rel="modulepreload" href="./assets/${part}-`));
  }
});

it('has every file of some size compressed beside it, both ways', () => {
  const files = readdirSync(dist, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(html|js|css|svg)$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => statSync(path).size >= 1_000);
  expect(files.length).toBeGreaterThan(10);
  for (const path of files) {
    const plain = readFileSync(path);
    expect(brotliDecompressSync(readFileSync(`${path}.br`)).equals(plain), path).toBe(true);
    expect(gunzipSync(readFileSync(`${path}.gz`)).equals(plain), path).toBe(true);
  }
});
