/** From opening the session to the first picture: on a moving, a static and a held broadcast. */

import { Chromium } from '../src/chromium.ts';
import type { Relay } from '../src/relay.ts';
import type { WebTransportFate } from '../src/transports.ts';
import { until } from '../src/until.ts';
import { print, type Row, spread, TRANSPORTS } from './figures.ts';

const VIEWPORT = { width: 1280, height: 720 };
const GOALS = {
  WebTransport: 'median <= 150 ms',
  WebRTC: 'median <= 500 ms',
  WebSocket: 'median <= 300 ms',
};

export async function measureJoins(relay: Relay, joins: number): Promise<Row[]> {
  const broadcast = await relay.createBroadcast('Joins');
  const admin = await Chromium.launch({ viewport: VIEWPORT });
  const viewers = await Chromium.launch({ viewport: VIEWPORT });
  const rows: Row[] = [];
  const measure = async (what: string) => {
    for (const { name, webTransport } of TRANSPORTS) {
      const times: number[] = [];
      for (let join = 0; join < joins; join += 1) {
        times.push(await joinOnce(viewers, relay, broadcast.playToken, webTransport));
      }
      rows.push({ what: `${what}, ${name}`, measured: spread(times), goal: GOALS[name] });
    }
  };
  try {
    const host = await admin.openHost(relay, broadcast.publishToken);
    await host.waitUntilLive();
    await measure('moving');
    await host.setScene({ moving: false });
    await host.waitFor('at rest', ({ motion }) => motion === 'still');
    await measure('static');
    await host.page.close();
    await until('held', async () => (await relay.snapshot(broadcast.id)).phase === 'held');
    await measure('held');
  } finally {
    await viewers.close();
    await admin.close();
  }
  print(`Join to first picture, 1280x720, ${joins} joins each: p50 / p95 / worst`, rows);
  return rows;
}

/** A page of its own each time; its records say how long the picture took from opening the session. */
async function joinOnce(
  viewers: Chromium,
  relay: Relay,
  token: string,
  webTransport: WebTransportFate,
): Promise<number> {
  const player = await viewers.openPlayer(relay, token, { places: null, webTransport });
  const time = await until('a first picture', async () => (await player.records()).firstPictureMs);
  await player.page.close();
  return time;
}
