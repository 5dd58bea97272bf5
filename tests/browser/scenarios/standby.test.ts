import assert from 'node:assert/strict';
import { Hand, untilCropped, untilShown } from '../src/cropping.ts';
import { keepTrack } from '../src/script.ts';
import { scenario } from '../src/stage.ts';
import { until } from '../src/until.ts';

const SOURCE = { width: 640, height: 360 };

scenario('the part is chosen before anybody sees it', async (stage) => {
  const { relay, broadcast } = stage;
  const admin = await stage.chromium({
    viewport: { width: 1280, height: 900 },
    scene: { moving: false },
  });
  const audience = await stage.chromium();
  const player = await audience.openPlayer(relay, broadcast.playToken, { places: null });
  await player.waitForState('waiting');
  const sizes = await player.followSizes();

  const panel = await admin.openPanel(relay, broadcast.publishToken);
  const host = await panel.shareAt(SOURCE, 'Choose a part first');
  await panel.waitForState('standby');
  const { page } = panel;
  await page.getByText('Nobody sees this yet').first().waitFor();
  assert.match(await page.title(), /^Not live yet/);
  await until('the capture window to say so', async () => {
    return (await host.page.title()).startsWith('Not live yet');
  });

  // What is drawn on is there once its numbers are.
  await page.getByLabel('Width', { exact: true }).and(page.locator(':enabled')).waitFor();
  const hand = await Hand.on(panel, SOURCE);
  await hand.drag({ x: 100, y: 60 }, { x: 420, y: 240 });
  const crop = await untilCropped(host, { x: 100, y: 60, width: 320, height: 180 });

  // Whatever is reloaded meanwhile shows nobody anything.
  await page.reload();
  await panel.waitForState('standby');
  await host.page.reload();
  await host.waitFor('in standby again', ({ state, source }) => {
    return state === 'standby' && source !== null;
  });
  await panel.waitForState('standby');
  const { phase, totals } = await stage.snapshot();
  assert.deepEqual([phase, totals.publishersJoined], ['waiting', 0]);
  assert.deepEqual(await sizes(), []);

  await page.keyboard.press('Alt+KeyL');
  await panel.waitForState('live');
  await player.waitForState('live');
  await untilShown(player, crop);
  assert.deepEqual(await sizes(), [`${crop.width}x${crop.height}`]);
  // What came before that is not undone into sight.
  for (let press = 0; press < 5; press += 1) await page.keyboard.press('Control+z');
  await host.page.bringToFront();
  await host.page.keyboard.press('Alt+KeyP');
  await panel.waitForState('paused');
  await host.page.getByRole('button', { name: 'Show the picture again' }).click();
  await panel.waitForState('live');
  await untilShown(player, crop);
  assert.deepEqual(await sizes(), [`${crop.width}x${crop.height}`]);
  assert.doesNotMatch(await page.title(), /Not live/);
  assert.equal(await page.getByText('Nobody sees this yet').count(), 0);
});

scenario(
  'a source that ends before anybody has seen it is followed by one for the admin alone',
  async (stage) => {
    const { relay, broadcast } = stage;
    const admin = await stage.chromium();
    await admin.context.addInitScript(keepTrack);
    const panel = await admin.openPanel(relay, broadcast.publishToken);
    const host = await panel.share('Choose a part first');
    await host.waitFor('in standby', ({ state, source }) => state === 'standby' && source !== null);
    await host.page.evaluate('endSource()');
    await panel.waitForState('ended');
    await host.page.getByRole('button', { name: 'Share again' }).click();
    await panel.waitForState('standby');
    assert.equal((await stage.snapshot()).totals.publishersJoined, 0);
  },
);

scenario('what is not to be shared after all was never sent', async (stage) => {
  const { relay, broadcast } = stage;
  const admin = await stage.chromium();
  const panel = await admin.openPanel(relay, broadcast.publishToken);
  const host = await panel.share('Choose a part first');
  await host.waitFor('in standby', ({ state }) => state === 'standby');
  const gone = host.page.waitForEvent('close');
  await panel.page.getByRole('button', { name: 'Do not share' }).click();
  await gone;
  await panel.waitForPresence('none');
  assert.equal((await stage.snapshot()).totals.publishersJoined, 0);
});

scenario(
  'a source of a size that was cropped before is cropped from its first picture',
  async (stage) => {
    const { relay, broadcast } = stage;
    const admin = await stage.chromium({ scene: { moving: false } });
    const audience = await stage.chromium();
    const crop = { x: 100, y: 60, width: 320, height: 180 };
    const other = { width: 800, height: 450 };
    const panel = await admin.openPanel(relay, broadcast.publishToken);
    const player = await audience.openPlayer(relay, broadcast.playToken, { places: null });

    const shareOf = async (size: typeof SOURCE) => {
      const host = await panel.shareAt(size);
      await host.waitUntilLive();
      return host;
    };
    const stop = async () => {
      await panel.page.getByRole('button', { name: 'Stop sharing' }).click();
      await panel.waitForPresence('none');
    };
    const first = await shareOf(SOURCE);
    await panel.crop(crop);
    await untilCropped(first, crop);
    await stop();

    const larger = await shareOf(other);
    assert.equal((await larger.status())?.crop, null, 'nothing is known of this size');
    await untilShown(player, { x: 0, y: 0, ...other });
    await stop();
    await player.waitForState('paused');

    const sizes = await player.followSizes();
    const again = await shareOf(SOURCE);
    await untilCropped(again, crop);
    await untilShown(player, crop);
    const seen = await sizes();
    assert.ok(!seen.includes('640x360'), `the whole was never seen: ${seen}`);
  },
);
