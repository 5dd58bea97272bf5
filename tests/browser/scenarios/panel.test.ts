import assert from 'node:assert/strict';
import { ms } from '../src/checks.ts';
import { crash } from '../src/chromium.ts';
import { linkTo } from '../src/links.ts';
import type { PlayerPage } from '../src/pages.ts';
import { scenario } from '../src/stage.ts';

/** No picture for longer would be seen; the measured gaps are a tenth of it. */
const GAP_MS = 1_000;

scenario('a panel is reloaded, goes elsewhere and comes back', async (stage) => {
  const { relay, broadcast } = stage;
  const admin = await stage.chromium();
  const panel = await admin.openPanel(relay, broadcast.publishToken);
  const host = await panel.share();
  const { epoch } = await host.waitUntilLive();
  const player = await admin.openPlayer(relay, broadcast.playToken);
  await player.waitForPicture();

  for (const round of [1, 2, 3]) {
    await unbroken(player, `reload ${round}`, stage.note.bind(stage), async () => {
      await panel.page.reload();
      await panel.waitForState('live');
    });
  }
  await unbroken(player, 'a trip to another page and back', stage.note.bind(stage), async () => {
    await panel.page.goto(`${relay.origin}/`);
    await player.waitForPicture();
    await panel.page.goBack();
    await panel.waitForState('live');
  });
  await unbroken(player, 'a trip to another origin and back', stage.note.bind(stage), async () => {
    await panel.page.goto('about:blank');
    await player.waitForPicture();
    await panel.page.goto(linkTo(relay.origin, 'admin', broadcast.publishToken));
    await panel.waitForState('live');
  });
  await unbroken(player, 'another link in the same panel', stage.note.bind(stage), async () => {
    const other = await relay.createBroadcast('Another one');
    await panel.page.goto(linkTo(relay.origin, 'admin', other.publishToken));
    await panel.waitForPresence('none');
    await panel.page.goto(linkTo(relay.origin, 'admin', broadcast.publishToken));
    await panel.waitForState('live');
  });
  const snapshot = await stage.assertUnharmed({ player });
  assert.equal(snapshot.epoch, epoch, 'the same epoch all the time');
  assert.equal(snapshot.totals.publishersJoined, 1, 'the same session all the time');
});

scenario('a panel crashes, is closed, and another one takes the controls', async (stage) => {
  const { relay, broadcast } = stage;
  const admin = await stage.chromium();
  const panel = await admin.openPanel(relay, broadcast.publishToken);
  const host = await panel.share();
  await host.waitUntilLive();
  const player = await admin.openPlayer(relay, broadcast.playToken);
  await player.waitForPicture();

  await unbroken(player, 'a crash', stage.note.bind(stage), async () => {
    await crash(panel.page);
    await player.waitForPicture();
  });
  const second = await admin.openPanel(relay, broadcast.publishToken);
  await second.waitForState('live');
  await unbroken(player, 'the panel closed', stage.note.bind(stage), async () => {
    await second.page.close();
    await player.waitForPicture();
  });
  const next = await admin.openPanel(relay, broadcast.publishToken);
  await next.waitForState('live');
  await next.choose('Codec', 'vp8');
  await host.waitFor('on VP8', ({ picture }) => picture?.codec === 'vp8');
  await player.waitForPicture();
  const snapshot = await stage.assertUnharmed({ player });
  assert.equal(snapshot.totals.publishersJoined, 1, 'the same session all the time');
});

scenario('the panel is blocked for seconds', async (stage) => {
  const { relay, broadcast } = stage;
  const admin = await stage.chromium();
  const panel = await admin.openPanel(relay, broadcast.publishToken);
  const host = await panel.share();
  await host.waitUntilLive();
  const player = await admin.openPlayer(relay, broadcast.playToken);
  await player.waitForPicture();
  await unbroken(player, 'a loop of 3 s in the panel', stage.note.bind(stage), async () => {
    await panel.page.evaluate(() => {
      const end = performance.now() + 3_000;
      while (performance.now() < end);
    });
  });
  await stage.assertUnharmed({ player });
});

/** Does something during which the picture must not stop. */
async function unbroken(
  player: PlayerPage,
  what: string,
  note: (text: string) => void,
  act: () => Promise<void>,
): Promise<void> {
  await player.waitForPicture();
  await player.resetWitness();
  const startedMs = performance.now();
  await act();
  await player.waitForPicture();
  const tookMs = performance.now() - startedMs;
  const { largestGapMs, agesMs } = await player.witness();
  note(`${what}: ${agesMs.length} pictures seen in ${ms(tookMs)}, largest gap ${ms(largestGapMs)}`);
  assert.ok(largestGapMs < GAP_MS, `${what}: no picture for ${ms(largestGapMs)}`);
}
