/** Panel, capture window and viewers for long, while sources change and sessions are lost: what grows. */

import { readFile } from 'node:fs/promises';
import type { Page, Worker } from 'playwright-core';
import { Chromium, type PlayerTab } from '../src/chromium.ts';
import { type Holdings, holdingsOf, watchTracks, watchWorker } from '../src/holdings.ts';
import type { HostPage, PanelPage } from '../src/pages.ts';
import type { Relay } from '../src/relay.ts';
import { pause, until } from '../src/until.ts';
import { print, type Row, TRANSPORTS } from './figures.ts';

/** How often the source changes, and the relay is away for a moment, in all. */
const ROUNDS = 100;
/** Looked at after the first rounds, when all that is made once is there, and then at so many more times. */
const WARM_ROUNDS = 5;
const LOOKS = 4;

interface Look {
  minute: number;
  /** Of a page's own memory after its rubbish is gone, in MB. */
  heaps: Record<string, number>;
  /** Resident memory of all renderers of a browser, in MB. */
  resident: Record<string, number>;
  workers: Record<string, number>;
  held: Holdings;
  sessions: number;
  /** Of one core, since the look before. */
  cpu: number;
}

interface Cast {
  admin: Chromium;
  audience: Chromium;
  panel: PanelPage;
  host: HostPage;
  worker: Worker;
  players: PlayerTab[];
}

export async function measureSoak(relay: Relay, minutes: number): Promise<Row[]> {
  const broadcast = await relay.createBroadcast('Soak');
  const cast = await assemble(relay, broadcast);
  try {
    const startMs = performance.now();
    const every = Math.max(1, Math.floor((ROUNDS - WARM_ROUNDS) / LOOKS));
    const looks: Look[] = [];
    let before = { ms: startMs, cpuS: await cpuOf(cast.admin) };
    for (let round = 1; round <= ROUNDS; round += 1) {
      await changeSource(cast);
      await loseSessions(relay, cast);
      const dueMs = startMs + (round / ROUNDS) * minutes * 60_000;
      await pause(Math.max(0, dueMs - performance.now()));
      if ((round - WARM_ROUNDS) % every !== 0) continue;
      const now = { ms: performance.now(), cpuS: await cpuOf(cast.admin) };
      const cpu = ((now.cpuS - before.cpuS) / (now.ms - before.ms)) * 1_000;
      looks.push(await look(relay, broadcast.id, cast, (now.ms - startMs) / 60_000, cpu));
      before = now;
    }
    const rows = rowsOf(looks);
    print(
      `${minutes} minutes, ${ROUNDS} changes of the source, ${ROUNDS} restarts of the relay`,
      rows,
    );
    return rows;
  } finally {
    await cast.audience.close();
    await cast.admin.close();
  }
}

async function assemble(
  relay: Relay,
  broadcast: { publishToken: string; playToken: string },
): Promise<Cast> {
  const admin = await Chromium.launch({ viewport: { width: 1280, height: 720 } });
  const audience = await Chromium.launch();
  await watchTracks(admin.context);
  const panel = await admin.openPanel(relay, broadcast.publishToken);
  const host = await panel.share('Choose a part first');
  const worker = await watchWorker(host.page);
  await host.waitFor('in standby', ({ state, source }) => state === 'standby' && source !== null);
  await panel.page.getByRole('button', { name: 'Go live' }).click();
  await host.waitUntilLive();
  const players: PlayerTab[] = [];
  for (const { webTransport } of TRANSPORTS) {
    const options = { everyMs: 1_000, webTransport, apart: true };
    players.push(await audience.openPlayer(relay, broadcast.playToken, options));
  }
  for (const player of players) await player.waitForPicture();
  return { admin, audience, panel, host, worker, players };
}

async function changeSource({ host }: Cast): Promise<void> {
  const count = () => host.page.evaluate('window.captured.length') as Promise<number>;
  const before = await count();
  await host.page.getByRole('button', { name: 'Share another screen' }).click();
  await until('another source', async () => (await count()) > before);
  await host.waitUntilLive();
}

/** All sessions are lost, and come back by themselves. */
async function loseSessions(relay: Relay, { host, panel, players }: Cast): Promise<void> {
  await relay.stop('SIGKILL');
  await relay.startAgain();
  const sinceMs = Date.now();
  await host.waitUntilLive();
  await panel.waitForState('live');
  for (const player of players) await player.waitForPicture(sinceMs);
}

async function look(
  relay: Relay,
  broadcast: string,
  cast: Cast,
  minute: number,
  cpu: number,
): Promise<Look> {
  const { admin, audience, host, panel, worker, players } = cast;
  const pages: Record<string, Page> = { panel: panel.page, host: host.page };
  for (const [at, { name }] of TRANSPORTS.entries()) {
    const player = players[at];
    if (player !== undefined) pages[name] = player.page;
  }
  const heaps: Record<string, number> = {};
  const workers: Record<string, number> = {};
  for (const [name, page] of Object.entries(pages)) {
    heaps[name] = await heapOf(page);
    workers[name] = page.workers().length;
  }
  return {
    minute,
    cpu,
    heaps,
    workers,
    resident: { admin: await residentOf(admin), audience: await residentOf(audience) },
    held: await holdingsOf(host.page, worker),
    sessions: (await relay.snapshot(broadcast)).players,
  };
}

async function heapOf(page: Page): Promise<number> {
  const session = await page.context().newCDPSession(page);
  await session.send('HeapProfiler.collectGarbage');
  const { usedSize } = await session.send('Runtime.getHeapUsage');
  await session.detach();
  return usedSize / 1_000_000;
}

async function residentOf(browser: Chromium): Promise<number> {
  const renderers = (await browser.processes()).filter(({ type }) => type === 'renderer');
  const sizes = renderers.map(async ({ id }) => {
    const status = await readFile(`/proc/${id}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1_000;
  });
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

async function cpuOf(browser: Chromium): Promise<number> {
  return (await browser.processes()).reduce((sum, { cpuTime }) => sum + cpuTime, 0);
}

function rowsOf(looks: readonly Look[]): Row[] {
  const over = (text: (look: Look) => string) => looks.map(text).join(' · ');
  const each = (pick: (look: Look) => Record<string, number>, digits: number) =>
    Object.keys(looks[0] === undefined ? {} : pick(looks[0])).map((name) => ({
      name,
      text: over((look) => (pick(look)[name] ?? 0).toFixed(digits)),
    }));
  return [
    { what: 'minute', measured: over(({ minute }) => minute.toFixed()), goal: '' },
    ...each(({ heaps }) => heaps, 1).map(({ name, text }) => ({
      what: `heap of ${name}, MB`,
      measured: text,
      goal: 'flat',
    })),
    ...each(({ resident }) => resident, 0).map(({ name, text }) => ({
      what: `renderers of ${name}, MB`,
      measured: text,
      goal: 'flat',
    })),
    ...each(({ workers }) => workers, 0).map(({ name, text }) => ({
      what: `workers of ${name}`,
      measured: text,
      goal: '1',
    })),
    {
      what: 'tracks, frames, encoders, transports of the host',
      measured: over(({ held }) => Object.values(held).join('/')),
      goal: 'flat',
    },
    { what: 'viewers at the relay', measured: over(({ sessions }) => `${sessions}`), goal: '2' },
    {
      what: 'CPU of the admin’s browser, of a core',
      measured: over(({ cpu }) => `${(cpu * 100).toFixed()} %`),
      goal: '',
    },
  ];
}
