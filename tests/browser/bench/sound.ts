/**
 * Sound from the captured tab to what players really play, and against the picture that they show: for a while
 * on end, and each time that the capture window is reloaded.
 */

import { apart, beepScript } from '../src/beeps.ts';
import { Chromium, type PlayerTab } from '../src/chromium.ts';
import type { HostPage } from '../src/pages.ts';
import type { Relay } from '../src/relay.ts';
import { pause, until } from '../src/until.ts';
import { ms, percentile, print, type Row, spread, TRANSPORTS } from './figures.ts';

const EVERY_MS = 1_000;
/** Paths and browsers are new at first. */
const WARM_UP_MS = 10_000;
/** How long a host that was reloaded is watched, and how long everything rests before. */
const WATCHED_MS = 1_500;
const RESTS_MS = 1_000;
/** What is further apart than this has nothing to do with one another. */
const TOGETHER_MS = 100;

export async function measureSound(
  relay: Relay,
  minutes: number,
  restarts: number,
): Promise<Row[]> {
  const rows: Row[] = [];
  // One after the other: two players share what the machine has left.
  for (const { name, webTransport } of TRANSPORTS) {
    const means = { ear: true, places: null, webTransport } as const;
    const there = await inTime(relay, means, minutes);
    print(`Sound over ${name}, a beep with a flash every second for ${minutes} minutes`, there);
    const back = await afterReloads(relay, means, restarts);
    print(`Sound over ${name}, the capture window reloaded ${restarts} times`, back);
    rows.push(...there, ...back);
  }
  return rows;
}

type Means = Parameters<Chromium['openPlayer']>[2];

interface Setting {
  host: HostPage;
  player: PlayerTab;
  close: () => Promise<void>;
}

async function setUp(relay: Relay, means: Means, lit: boolean): Promise<Setting> {
  const broadcast = await relay.createBroadcast('Sound');
  const admin = await Chromium.launch({ sound: 'real', scene: { moving: false } });
  const audience = await Chromium.launch({ sound: 'real' });
  await admin.context.addInitScript({ content: beepScript('/host', { lit }) });
  await audience.context.addInitScript(() => localStorage.setItem('steadycast-playout', 'live'));
  const host = await admin.openHost(relay, broadcast.publishToken);
  await host.waitUntilLive();
  const player = await audience.openPlayer(relay, broadcast.playToken, means);
  await until('a picture', async () => (await player.records()).framesShown > 0);
  const close = async () => {
    await audience.close();
    await admin.close();
  };
  return { host, player, close };
}

/** What was heard and seen since the ear was reset, and then nothing of it any more. */
async function taken({ page }: PlayerTab) {
  return page.evaluate(() => {
    const { beeps = [], flashes = [] } = window.ear ?? {};
    const heard = { beeps: [...beeps], flashes: [...flashes] };
    window.ear?.reset();
    return heard;
  });
}

async function inTime(relay: Relay, means: Means, minutes: number): Promise<Row[]> {
  const { host, player, close } = await setUp(relay, means, false);
  try {
    await host.page.evaluate((everyMs) => window.beeps?.begin(everyMs), EVERY_MS);
    await pause(WARM_UP_MS);
    await taken(player);
    const before = (await player.records()).sound;
    const heard: number[] = [];
    const off: number[][] = [];
    for (let minute = 0; minute < minutes; minute += 1) {
      await pause(60_000);
      const { beeps, flashes } = await taken(player);
      const made = await host.page.evaluate(() => window.beeps?.times.slice(-90) ?? []);
      heard.push(...apart(beeps, made));
      off.push(apart(beeps, flashes).map(Math.abs));
    }
    const after = (await player.records()).sound;
    const rise = (of: 'gaps' | 'concealedMs' | 'playedMs') =>
      (after?.[of] ?? 0) - (before?.[of] ?? 0);
    const last = off.at(-1) ?? [];
    return [
      {
        what: 'mouth to ear, p50 / p95 / worst',
        measured: spread(heard),
        goal: '90, WebRTC 120 ms',
      },
      {
        what: 'sound against picture, p95 of all / of the last minute',
        measured: `${ms(percentile(off.flat(), 0.95))} / ${ms(percentile(last, 0.95))}`,
        goal: '40 ms',
      },
      {
        what: 'gaps',
        measured: `${rise('gaps')}, ${rise('concealedMs').toFixed()} of ${rise('playedMs').toFixed()} ms`,
        goal: '0',
      },
    ];
  } finally {
    await close();
  }
}

async function afterReloads(relay: Relay, means: Means, restarts: number): Promise<Row[]> {
  const { host, player, close } = await setUp(relay, means, true);
  const between: number[] = [];
  let missing = 0;
  try {
    for (let restart = 0; restart < restarts; restart += 1) {
      await host.page.evaluate(() => window.beeps?.light(false));
      await pause(RESTS_MS);
      await taken(player);
      await host.page.reload();
      await host.waitUntilLive();
      await pause(WATCHED_MS);
      const { beeps, flashes } = await taken(player);
      const [beep, flash] = [beeps[0], flashes[0]];
      if (beep === undefined || flash === undefined) missing += 1;
      else between.push(beep - flash);
    }
  } finally {
    await close();
  }
  const together = between.filter((gap) => Math.abs(gap) <= TOGETHER_MS).length;
  return [
    {
      what: 'sound behind the picture, p50 / p95 / worst',
      measured: spread(between),
      goal: `within ${TOGETHER_MS} ms`,
    },
    {
      what: `within ${TOGETHER_MS} ms, and one of both not there`,
      measured: `${together} of ${restarts}, ${missing}`,
      goal: `${restarts}, 0`,
    },
  ];
}
