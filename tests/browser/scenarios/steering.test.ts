/** Who has no link for publishers steers nothing, whatever page of the origin that is. */

import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { scenario } from '../src/stage.ts';
import { until } from '../src/until.ts';
import { placeIn } from '../src/witness.ts';

/** Longer than a panel takes to ask for a preview, and a host to answer. */
const LISTEN_MS = 3_000;

declare global {
  interface Window {
    overheard?: unknown[];
  }
}

scenario('a page that knows the broadcast’s id neither hears nor steers', async (stage) => {
  const { relay, broadcast } = stage;
  const crop = { x: 32, y: 32, width: 384, height: 216 };
  const admin = await stage.chromium();
  const panel = await admin.openPanel(relay, broadcast.publishToken);
  const host = await panel.shareAt({ width: 640, height: 360 });
  await host.waitUntilLive();
  await panel.crop(crop);
  await host.waitFor('cropped', ({ crop: now }) => now?.width === crop.width);
  const places = [placeIn(crop)];
  const player = await admin.openPlayer(relay, broadcast.playToken, { places });
  await player.waitForPicture();

  const stranger = await admin.context.newPage();
  await stranger.goto(`${relay.origin}/`);
  const id = await host.page.evaluate(
    () => (window.steadycast as unknown as { host: string }).host,
  );
  const said = await steer(stranger, broadcast.id, id);
  stage.note(`said ${said} messages on ${await channelsOf(stranger)} channels`);
  // Panels and hosts have had time to answer, and they go on to understand each other.
  const before = await host.status();
  await panel.choose('Frame rate', 15);
  await host.waitFor('slower', ({ quality }) => quality.frameRate === 15);
  await until('some figures', async () => {
    const now = await host.status();
    return (now?.counts.framesSent ?? 0) > (before?.counts.framesSent ?? 0) + 10;
  });
  assert.deepEqual(await stranger.evaluate(() => window.overheard), []);
  const now = await host.status();
  assert.deepEqual([now?.state, now?.crop], ['live', crop]);
  assert.equal((await panel.status())?.state, 'live');
  await player.waitForPicture(Date.now(), await host.scene());

  const refused = await fetch(`${relay.origin}/api/broadcasts/${broadcast.id}`, {
    headers: { authorization: `Bearer ${broadcast.playToken}` },
  });
  assert.equal(refused.status, 403, 'a viewer is not told what panels know each other by');
  const snapshot = await stage.assertUnharmed({ player });
  assert.equal(snapshot.totals.publishersJoined, 1, 'nobody stopped it in between');
});

scenario('with new links for publishers a panel meets hosts elsewhere', async (stage) => {
  const { relay, broadcast } = stage;
  const admin = await stage.chromium();
  const panel = await admin.openPanel(relay, broadcast.publishToken);
  const host = await panel.share();
  await host.waitUntilLive();
  const before = await locksOf(panel.page);
  const links = await relay.renewLinks(broadcast.id, ['publish']);
  await host.waitFor('refused', ({ state }) => state === 'refused');
  const fresh = await admin.openPanel(relay, links.publishToken);
  const next = await fresh.share(/Share screen|Share again/);
  await next.waitUntilLive();
  await fresh.waitForState('live');
  const added = (await locksOf(fresh.page)).filter((name) => !before.includes(name));
  assert.equal(added.length, 1, 'the new host has a lock of another name');
  // What is kept now is the new link's.
  await fresh.page.reload();
  await fresh.waitForState('live');
  await next.page.reload();
  await next.waitUntilLive();
});

/** Says whatever a panel or a host could say, on every channel that a stranger can think of. */
async function steer(page: Page, broadcast: string, host: string): Promise<number> {
  return page.evaluate(
    async ({ broadcast, host, listenMs }) => {
      const overheard: unknown[] = [];
      window.overheard = overheard;
      const { held = [], pending = [] } = await navigator.locks.query();
      const locks = [...held, ...pending].map(({ name }) => name ?? '');
      const names = [
        `steadycast:${broadcast}`,
        `steadycast-host:${broadcast}`,
        broadcast,
        ...locks,
      ];
      const whole = { x: 0, y: 0, width: 9_999, height: 9_999 };
      const messages = [
        { side: 'panel', type: 'status', host: null, preview: true },
        { side: 'panel', type: 'status', host, preview: true },
        { side: 'panel', type: 'crop', host, crop: null },
        { side: 'panel', type: 'crop', host, crop: whole },
        { side: 'panel', type: 'stop', host },
        { side: 'host', type: 'bye', host },
        { side: 'host', type: 'hello', host: 'mine', startedMs: Date.now() + 1e6 },
        { from: 'me', count: 1, atMs: Date.now(), message: { side: 'panel', type: 'stop', host } },
        new Uint8Array(400),
      ];
      let said = 0;
      const channels = [...new Set(names)].map((name) => new BroadcastChannel(name));
      Object.assign(window, { channels });
      const endMs = Date.now() + listenMs;
      for (const channel of channels) channel.onmessage = ({ data }) => overheard.push(data);
      while (Date.now() < endMs) {
        for (const channel of channels) {
          // Its own words come back to other channels of the same name, of which there is none.
          for (const message of messages) channel.postMessage(message);
          said += messages.length;
        }
        await new Promise((resolve) => setTimeout(resolve, 250));
      }
      return said;
    },
    { broadcast, host, listenMs: LISTEN_MS },
  );
}

async function channelsOf(page: Page): Promise<number> {
  return page.evaluate(() => (window as unknown as { channels: unknown[] }).channels.length);
}

async function locksOf(page: Page): Promise<string[]> {
  return page.evaluate(async () => {
    const { held = [] } = await navigator.locks.query();
    return held.map(({ name }) => name ?? '').filter((name) => name.startsWith('steadycast '));
  });
}
