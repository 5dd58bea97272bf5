/** The capture host crashes and comes back, again and again, while players watch. */

import { Chromium, crash, type PlayerTab } from '../src/chromium.ts';
import type { HostPage } from '../src/pages.ts';
import type { BroadcastSnapshot, CreatedBroadcast, Relay } from '../src/relay.ts';
import { until } from '../src/until.ts';
import { print, type Row, spread, TRANSPORTS } from './figures.ts';

const GOAL = '<= 1 frame interval + 50 ms = 83 ms';

/** `each`: players over each transport, whose decoders share this machine's cores. */
export async function measureRestarts(
  relay: Relay,
  restarts: number,
  each: number,
): Promise<Row[]> {
  const broadcast = await relay.createBroadcast('Restarts');
  const admin = await Chromium.launch();
  const viewers = await Chromium.launch();
  try {
    let host = await admin.openHost(relay, broadcast.publishToken);
    await host.waitUntilLive();
    const players: PlayerTab[] = [];
    for (const { webTransport } of TRANSPORTS) {
      for (let player = 0; player < each; player += 1) {
        const options = { everyMs: 100, webTransport, apart: true };
        players.push(await viewers.openPlayer(relay, broadcast.playToken, options));
      }
    }
    await Promise.all(players.map((player) => player.waitForPicture()));
    const resumed: number[][] = [];
    for (let restart = 0; restart < restarts; restart += 1) {
      host = await restartHost(admin, relay, broadcast, host);
      resumed.push(await timesToPicture(relay, broadcast, players));
    }
    const rows = await account(await relay.snapshot(broadcast.id), players);
    for (const [at, { name }] of TRANSPORTS.entries()) {
      const own = resumed.flatMap((times) => times.slice(at * each, (at + 1) * each));
      rows.push({ what: `picture at each player, ${name}`, measured: spread(own), goal: GOAL });
    }
    const who = `${each} over ${TRANSPORTS.map(({ name }) => name).join(', ')} each`;
    print(`Publisher crashed and back ${restarts} times, players: ${who}, 640x360`, rows);
    return rows;
  } finally {
    await viewers.close();
    await admin.close();
  }
}

async function restartHost(
  admin: Chromium,
  relay: Relay,
  broadcast: CreatedBroadcast,
  host: HostPage,
): Promise<HostPage> {
  await crash(host.page);
  await host.page.close();
  await until('held', async () => (await relay.snapshot(broadcast.id)).phase === 'held');
  return admin.openHost(relay, broadcast.publishToken);
}

/** From the epoch's first keyframe at the relay to its first picture at each player, in ms. */
async function timesToPicture(
  relay: Relay,
  broadcast: CreatedBroadcast,
  players: readonly PlayerTab[],
): Promise<number[]> {
  const { epoch, keyframeUs } = await until(
    'a keyframe',
    async () => {
      const { phase, epoch, totals } = await relay.snapshot(broadcast.id);
      return phase === 'live' ? { epoch, keyframeUs: totals.newestKeyframeUs } : null;
    },
    { everyMs: 5 },
  );
  return Promise.all(
    players.map(async (player) => {
      const shownUs = await until('its picture', () => player.firstShownUs(epoch), {
        everyMs: 100,
      });
      return (shownUs - keyframeUs) / 1_000;
    }),
  );
}

async function account(
  { totals }: BroadcastSnapshot,
  players: readonly PlayerTab[],
): Promise<Row[]> {
  const records = await Promise.all(players.map((player) => player.records()));
  const seen = await Promise.all(players.map((player) => player.witness()));
  const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
  const left = sum(Object.values(totals.playersLeft));
  const closed = sum(records.map(({ sessionsClosed }) => sessionsClosed));
  const black = sum(records.map(({ blackFrames }) => blackFrames));
  const checks = sum(records.map(({ blackChecks }) => blackChecks));
  const blank = sum(seen.map(({ blank }) => blank));
  const looks = sum(seen.map(({ looks }) => looks));
  const where = 'at the relay / at the pages';
  return [
    { what: 'sessions closed', measured: `${left} / ${closed} (${where})`, goal: '0' },
    {
      what: 'black frames',
      measured: `${black} of ${checks} checks, ${blank} of ${looks} looks`,
      goal: '0',
    },
    { what: 'first new keyframe at the relay to', measured: '', goal: '' },
  ];
}
