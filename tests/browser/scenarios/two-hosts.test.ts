import assert from 'node:assert/strict';
import { type Stage, scenario } from '../src/stage.ts';
import { until } from '../src/until.ts';

const FIGHT = 'two hosts in two browsers: the newest wins, and they do not fight';
scenario(FIGHT, fight, { alsoPrivately: 'webtransport' });

async function fight(stage: Stage): Promise<void> {
  const { relay, broadcast } = stage;
  const one = await stage.chromium();
  const two = await stage.chromium();
  const firstPanel = await one.openPanel(relay, broadcast.publishToken);
  const first = await firstPanel.share();
  await first.waitUntilLive();
  const player = await one.openPlayer(relay, broadcast.playToken);
  await player.waitForPicture(0, await first.scene());

  const secondPanel = await two.openPanel(relay, broadcast.publishToken);
  const second = await secondPanel.share('Take over from here');
  await second.waitUntilLive();
  await player.waitForPicture(0, await second.scene());
  await firstPanel.waitForState('superseded');

  // The one that lost keeps away, even after a reload of its window.
  await first.page.reload();
  await until('the reloaded host to give up or stay idle', async () => {
    const state = (await first.status())?.state;
    return state === 'superseded' || state === 'idle';
  });
  await player.waitForPicture(Date.now(), await second.scene());
  assert.equal((await stage.snapshot()).epoch, 2, 'nothing came of the reload');

  // The click opens a window in place of the one that lost, which may be anywhere.
  const third = await firstPanel.share(/take back|share/i);
  await third.waitUntilLive();
  await player.waitForPicture(Date.now(), await third.scene());
  await until('the window that lost to be gone', () => first.page.isClosed());
  await secondPanel.waitForState('superseded');
  const { scenes } = await player.witness();
  stage.note(`the viewer saw ${scenes.length} scenes after one another, and no other change`);
  assert.equal(scenes.length, 3);
  const snapshot = await stage.assertUnharmed({ player });
  assert.equal(snapshot.epoch, 3);
}

scenario('two hosts in one browser: the second window steps back', async (stage) => {
  const { relay, broadcast } = stage;
  const admin = await stage.chromium();
  const first = await admin.openHost(relay, broadcast.publishToken);
  await first.waitUntilLive();
  const player = await admin.openPlayer(relay, broadcast.playToken);
  await player.waitForPicture();
  const second = await admin.openHost(relay, broadcast.publishToken);
  await second.page.getByText('Another window is sharing already').waitFor();
  await player.waitForPicture(Date.now(), await first.scene());
  const snapshot = await stage.assertUnharmed({ player });
  assert.equal(snapshot.epoch, 1);
});
