import assert from 'node:assert/strict';
import { createDecipheriv } from 'node:crypto';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import type { BrowserContext, Page } from 'playwright-core';
import { makePrivateBroadcast } from '../src/desk.ts';
import { beforeWorkers } from '../src/lacking.ts';
import { memoryOf } from '../src/memory.ts';
import { type HostPage, PanelPage } from '../src/pages.ts';
import { freePort } from '../src/process.ts';
import type { Relay } from '../src/relay.ts';
import { pageScript } from '../src/script.ts';
import { found, type Needles, needlesOf } from '../src/secrets.ts';
import { type Closable, type Stage, scenario } from '../src/stage.ts';
import { pause, until } from '../src/until.ts';

/** A batch of spans is on its way for so long at most. */
const EXPORT_MS = 6_000;
/** Bytes of memory that a relay has at least: fewer, and it was not read. */
const LEAST_MEMORY = 20_000_000;

/** What is told to the world besides the log: a collector of traces, which keeps what it gets. */
class Collector implements Closable {
  readonly #server = createServer((request, answer) => {
    request.on('data', (piece: Buffer) => this.got.push(piece));
    request.on('end', () => answer.end());
  });
  readonly got: Buffer[] = [];

  async listen(port: number): Promise<void> {
    this.#server.listen(port, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  async close(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

const ports = { traces: 0, metrics: 0 };

/** The relay says all that it can, everywhere. */
async function talkative({ state }: { state: string }): Promise<string[]> {
  ports.traces = await freePort();
  ports.metrics = await freePort();
  return [
    ...['--broadcast-private=true', '--log-level=trace'],
    ...['--log-access-file', join(state, 'access.log')],
    ...['--log-traces', `http://127.0.0.1:${ports.traces}`],
    ...['--metrics-listen', `127.0.0.1:${ports.metrics}`],
  ];
}

scenario(
  'the key of a private broadcast is nowhere at its relay, and nothing that follows from it',
  async (stage) => {
    const { relay } = stage;
    const collector = stage.closeLater(new Collector());
    await collector.listen(ports.traces);
    const admin = await stage.chromium();
    await admin.context.grantPermissions(['clipboard-read', 'clipboard-write']);
    await noteTenures(admin.context);
    const desk = await admin.context.newPage();
    await makePrivateBroadcast(desk, relay);
    const panel = new PanelPage(desk);
    await panel.waitForPresence('none');
    const host = await panel.share();
    await host.waitUntilLive();
    const first = await linkOf(desk);
    const players = {
      direct: await admin.openPlayer(relay, first.fragment),
      overTcp: await admin.openPlayer(relay, first.fragment, { webTransport: 'tcp', apart: true }),
    };
    for (const player of Object.values(players)) await player.waitForPicture();
    const carriers = Object.values(players).map((player) => player.transport());
    assert.deepEqual(await Promise.all(carriers), ['webtransport', 'websocket']);

    // Copied, and loaded anew.
    await desk.getByRole('button', { name: 'Copy', exact: true }).first().click();
    const copied = await until('a copy', () => desk.evaluate(() => navigator.clipboard.readText()));
    assert.equal(copied, first.link);
    for (const { page } of [panel, host, players.direct, players.overTcp]) await page.reload();
    await host.waitUntilLive();
    const scene = await host.scene();
    for (const player of Object.values(players)) await player.waitForPicture(0, scene);
    const before = needlesOf(first.key, await tenuresOf(host));
    await assertNowhere(stage, collector, before, [first.token]);

    // Replaced: the same of both keys.
    await desk.getByRole('button', { name: 'Replace this link…' }).click();
    await desk.getByRole('button', { name: 'Replace link', exact: true }).click();
    const second = await until('another link', async () => {
      const now = await linkOf(desk);
      return now.key === first.key ? null : now;
    });
    const later = await admin.openPlayer(relay, second.fragment, { apart: true });
    await later.waitForPicture();
    const after = needlesOf(second.key, await tenuresOf(host));
    const earlier = [...before].map(([what, bytes]): [string, Buffer] => [
      `${what}, of before`,
      bytes,
    ]);
    await pause(EXPORT_MS);
    await assertNowhere(stage, collector, new Map([...earlier, ...after]), [second.token]);

    // In a request it would be found, in whatever form.
    const open = connect(Number(new URL(relay.origin).port), '127.0.0.1');
    stage.closeLater({ close: async () => void open.destroy() });
    const raw = Buffer.from(second.key, 'base64url');
    open.write(`GET /health?key=${second.key} HTTP/1.1\r\nHost: x\r\nX: `);
    open.write(Buffer.concat([Buffer.from(raw.toString('hex')), Buffer.from('\r\nY: '), raw]));
    const heard = await until('the relay to have heard it', async () => {
      const known = await inMemory(relay, after);
      return known.length >= 3 ? known : null;
    });
    assert.deepEqual(heard.toSorted(), ['the key', 'the key as base64url', 'the key as hex']);
  },
  { flagsAt: talkative },
);

test('what is looked for is what frames are sealed with', async () => {
  const path = join(import.meta.dirname, '../../../codec-glue/vectors/sealed.json');
  const [{ key, hex, opened }] = JSON.parse(await readFile(path, 'utf8')) as [Sealed];
  const { tenure, group, capturedUs } = opened;
  const needles = needlesOf(Buffer.from(key, 'hex').toString('base64url'), [tenure]);
  const aes = needles.get(`the AES key of ${tenure}, 0`) ?? Buffer.alloc(16);
  const nonce = Buffer.from(needles.get(`the salt of ${tenure}, 0`) ?? Buffer.alloc(12));
  nonce.writeUInt32BE((nonce.readUInt32BE(4) ^ group) >>> 0, 4);
  const block = Buffer.concat([nonce, Buffer.from([0, 0, 0, 2])]);
  // The counter of GCM's cipher begins with 2; behind 14 bytes of SFrame's header comes the time.
  const inside = createDecipheriv('aes-128-ctr', aes, block).update(
    Buffer.from(hex, 'hex').subarray(14),
  );
  assert.equal(inside.readBigUInt64BE(0), BigInt(capturedUs));
});

interface Sealed {
  key: string;
  hex: string;
  opened: { tenure: string; group: number; capturedUs: number };
}

interface Link {
  link: string;
  /** As it stands behind `#token=`. */
  fragment: string;
  token: string;
  key: string;
}

/** The viewers' link as the panel has it. */
function linkOf(desk: Page): Promise<Link> {
  const field = desk.getByLabel('Link for viewers', { exact: true });
  return until('a whole link', async () => {
    const link = await field.inputValue();
    const [, fragment = ''] = link.split('#token=');
    const [token = '', key] = fragment.split('&key=');
    return key === undefined ? null : { link, fragment, token, key };
  });
}

/** A host's tenures are made in its worker, and told to nobody: a test has to see them being made. */
async function noteTenures(context: BrowserContext): Promise<void> {
  await beforeWorkers(context, pageScript([noteSevenBytes], null));
}

function noteSevenBytes(): void {
  const tenures: string[] = [];
  Object.assign(globalThis, { tenures });
  const fill = crypto.getRandomValues.bind(crypto);
  crypto.getRandomValues = (array) => {
    const filled = fill(array);
    if (filled instanceof Uint8Array && filled.length === 7) {
      tenures.push(Array.from(filled, (byte) => byte.toString(16).padStart(2, '0')).join(''));
    }
    return filled;
  };
}

/** Of the document that is there now. */
async function tenuresOf(host: HostPage): Promise<string[]> {
  const told = await Promise.all(
    host.page.workers().map((worker) => worker.evaluate('globalThis.tenures ?? []')),
  );
  const tenures = told.flat() as string[];
  assert.ok(tenures.length > 0, 'the host seals');
  return tenures;
}

/** `known`: what the relay has to know, so that what is looked through is what it has. */
async function assertNowhere(
  stage: Stage,
  { got }: Collector,
  needles: Needles,
  known: string[],
): Promise<void> {
  const { relay } = stage;
  // They are exported every few seconds.
  await until('traces', () => got.length > 0);
  const told = await answersOf(stage);
  const places = [...(await filesOf(relay)), ...told, ['traces', Buffer.concat(got)] as const];
  for (const [name, bytes] of places) assert.deepEqual(found(needles, bytes), [], name);
  const sizes = new Map(places.map(([name, bytes]) => [name, bytes.length]));
  for (const name of ['relay.log', 'traces', '/metrics', '/api/broadcasts']) {
    assert.ok((sizes.get(name) ?? 0) > 0, `nothing in ${name}`);
  }
  const there = new Map(known.map((token) => ['a token', Buffer.from(token)]));
  assert.deepEqual(await inMemory(relay, new Map([...needles, ...there])), ['a token']);
  stage.note(
    `${needles.size} forms of it looked for in ${places.length} places and the relay's memory`,
  );
}

/** What its state directory has: the log too, which is all that it prints, and the access log. */
async function filesOf(relay: Relay): Promise<[string, Buffer][]> {
  const all = await readdir(relay.state, { recursive: true, withFileTypes: true });
  const files = all.filter((one) => one.isFile());
  return Promise.all(
    files.map(async ({ parentPath, name }): Promise<[string, Buffer]> => {
      return [name, await readFile(join(parentPath, name))];
    }),
  );
}

/** What it answers to whoever may ask anything. */
async function answersOf({ relay }: Stage): Promise<[string, Buffer][]> {
  const authorization = `Bearer ${relay.adminKey}`;
  const ask = async (path: string, origin = relay.origin): Promise<[string, Buffer]> => {
    const answer = await fetch(`${origin}${path}`, { headers: { authorization } });
    assert.ok(answer.ok, `${path}: ${answer.status}`);
    return [path, Buffer.from(await answer.arrayBuffer())];
  };
  const all = await ask('/api/broadcasts');
  const { broadcasts } = JSON.parse(String(all[1])) as { broadcasts: { id: string }[] };
  const each = broadcasts.flatMap(({ id }) =>
    ['', '/sessions', '/viewers'].map((what) => `/api/broadcasts/${id}${what}`),
  );
  const rest = await Promise.all(
    [...each, '/api/relay', '/ready', '/api/openapi.json'].map((path) => ask(path)),
  );
  return [all, ...rest, await ask('/metrics', `http://127.0.0.1:${ports.metrics}`)];
}

/** Which of them the process has. */
async function inMemory(relay: Relay, needles: Needles): Promise<string[]> {
  const seen = new Set<string>();
  let bytes = 0;
  for await (const part of memoryOf(relay.pid)) {
    bytes += part.length;
    for (const what of found(needles, part)) seen.add(what);
  }
  assert.ok(bytes > LEAST_MEMORY, `${bytes} bytes of memory`);
  return [...seen];
}
