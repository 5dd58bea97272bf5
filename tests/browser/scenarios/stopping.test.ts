import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import type { Page, Worker } from 'playwright-core';
import { holdingsOf, watchTracks, watchWorker } from '../src/holdings.ts';
import type { HostPage, PanelPage } from '../src/pages.ts';
import { type Stage, scenario } from '../src/stage.ts';
import { until } from '../src/until.ts';

const NOTHING = { tracks: 0, frames: 0, encoders: 0, transports: 0 };

/** Shares from a window that stays when it has nothing to do any more, and counts what it holds. */
async function share(
  stage: Stage,
): Promise<{ panel: PanelPage; host: HostPage; page: Page; worker: Worker }> {
  const admin = await stage.chromium();
  await watchTracks(admin.context);
  await admin.context.addInitScript(() => {
    window.close = () => undefined;
  });
  const panel = await admin.openPanel(stage.relay, stage.broadcast.publishToken);
  const host = await panel.share('Choose a part first');
  const worker = await watchWorker(host.page);
  await host.waitFor('in standby', ({ state, source }) => state === 'standby' && source !== null);
  await panel.page.getByRole('button', { name: 'Go live' }).click();
  await host.waitUntilLive();
  const { tracks, encoders, transports } = await holdingsOf(host.page, worker);
  // The picture, and its sound.
  assert.deepEqual([tracks, transports], [2, 1]);
  assert.ok(encoders > 0, 'what is held is counted');
  return { panel, host, page: host.page, worker };
}

async function untilNothing({ page, worker }: { page: Page; worker: Worker }): Promise<void> {
  const held = () => holdingsOf(page, worker);
  await until('nothing to be held any more', async () => {
    const now = await held();
    return isDeepStrictEqual(now, NOTHING);
  }).catch(async () => assert.deepEqual(await held(), NOTHING));
}

scenario('whatever ends a share, nothing of it is held any more', async (stage) => {
  const { relay, broadcast } = stage;
  const first = await share(stage);

  // Something else: the tracks of before are given back at once.
  await first.page.getByRole('button', { name: 'Share another screen' }).click();
  await until('other tracks', async () => {
    return (await first.page.evaluate('window.captured.length')) === 4;
  });
  await until('those before to be over', async () => {
    return (await holdingsOf(first.page, first.worker)).tracks === 2;
  });
  await first.host.waitUntilLive();
  const { transports } = await holdingsOf(first.page, first.worker);
  assert.equal(transports, 1, 'on the same session');

  // Somebody else takes over.
  const second = await stage.chromium();
  const elsewhere = await second.openPanel(relay, broadcast.publishToken);
  const other = await elsewhere.share('Take over from here');
  await other.waitUntilLive();
  await first.panel.waitForState('superseded');
  await untilNothing(first);
});

scenario('a share that is stopped or refused holds nothing any more', async (stage) => {
  const { relay, broadcast } = stage;
  const stopped = await share(stage);
  await stopped.panel.page.getByRole('button', { name: 'Stop sharing' }).click();
  await stopped.host.waitFor('stopped', ({ state }) => state === 'stopped');
  await untilNothing(stopped);
  const { phase } = await stage.snapshot();
  assert.equal(phase, 'paused', 'viewers have a card, and nobody publishes');

  const ended = await share(stage);
  await relay.endBroadcast(broadcast.id);
  await ended.panel.waitForState('refused');
  await untilNothing(ended);
});
