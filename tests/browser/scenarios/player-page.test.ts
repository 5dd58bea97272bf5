import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { Fingers } from '../src/sighting.ts';
import { scenario } from '../src/stage.ts';
import { until } from '../src/until.ts';

const titled = (page: Page, title: string) =>
  until(`the tab to be called ${title}`, async () => (await page.title()) === title);

scenario('the tab says which broadcast it is, and how it is', async (stage) => {
  const { relay, broadcast } = stage;
  const admin = await stage.chromium();
  const player = await admin.openPlayer(relay, broadcast.playToken);
  await titled(player.page, 'Waiting · Browser test');
  const host = await admin.openHost(relay, broadcast.publishToken);
  await host.waitUntilLive();
  await titled(player.page, 'Live · Browser test');
  await host.page.close();
  await titled(player.page, 'Host away · Browser test');
  await relay.endBroadcast(broadcast.id);
  await titled(player.page, 'Ended · Browser test');
});

scenario('the link for sharing is told from a link for viewers', async (stage) => {
  const { relay, broadcast } = stage;
  const admin = await stage.chromium();
  const page = await admin.context.newPage();
  await page.goto(`${relay.origin}/play#${broadcast.publishToken}`);
  await page.getByText('This is the link for sharing').waitFor();
  await titled(page, 'Link for sharing · Steadycast');
  await page.getByRole('link', { name: 'Open the panel' }).click();
  await page.getByRole('button', { name: 'Share screen' }).first().waitFor();
  assert.equal(new URL(page.url()).pathname, '/admin');
  assert.equal((await stage.snapshot()).totals.playersJoined, 0, 'nobody was there to watch');
});

scenario(
  'a touch where a hidden button is shows the bar, and the next one presses it',
  async (stage) => {
    const { relay, broadcast } = stage;
    const admin = await stage.chromium();
    const host = await admin.openHost(relay, broadcast.publishToken);
    await host.waitUntilLive();
    const player = await admin.openPlayer(relay, broadcast.playToken);
    await player.waitForPicture();
    const { page } = player;
    const fingers = await Fingers.on(page);
    const box = await page.getByRole('button', { name: 'Details' }).boundingBox();
    assert.ok(box !== null);
    const button = [box.x + box.width / 2, box.y + box.height / 2] as const;
    const idle = () => page.locator('.player').getAttribute('data-idle');
    const opened = () => page.locator('.player-details').isVisible();
    await until('the bar to hide', async () => (await idle()) === 'true');
    await fingers.tap(button);
    await until('the bar to be back', async () => (await idle()) === 'false');
    // Whatever a touch brings is there before what comes of the next one.
    await fingers.tap([320, 100]);
    assert.equal(await opened(), false);
    await fingers.tap(button);
    await until('the details', opened);
  },
);

/** What of the player's words and buttons lies beyond the window, or beneath what is kept free. */
function beyond(page: Page, free: number): Promise<string[]> {
  return page.evaluate((margin) => {
    const all = document.querySelectorAll(
      '.player button, .player-bar, .player-card, .player-note, .player-title, .player-detail, .badge',
    );
    return [...all].flatMap((element) => {
      const { left, top, right, bottom } = element.getBoundingClientRect();
      const inside =
        left >= margin &&
        top >= margin &&
        right <= innerWidth - margin &&
        bottom <= innerHeight - margin;
      const cut = element.scrollWidth > element.clientWidth + 1 && element.matches('p, button');
      return inside && !cut ? [] : [`${element.className}: ${left}, ${top}, ${right}, ${bottom}`];
    });
  }, free);
}

scenario('nothing is cut off, from 320 pixels up and beside a notch', async (stage) => {
  const { relay, broadcast } = stage;
  const admin = await stage.chromium();
  const player = await admin.openPlayer(relay, broadcast.playToken);
  const { page } = player;
  const sizes = [
    [320, 568],
    [390, 844],
    [568, 320],
    [844, 390],
    [1280, 800],
  ] as const;
  const look = async (what: string, free: number) => {
    for (const [width, height] of sizes) {
      await page.setViewportSize({ width, height });
      // A change of the window is drawn before anything is asked.
      const found = await until(
        `${what} at ${width} x ${height}`,
        async () => {
          const lies = await beyond(page, free);
          return lies.length === 0 || lies;
        },
        { withinMs: 5_000 },
      );
      assert.deepEqual(found, true, `${what} at ${width} x ${height}`);
    }
  };
  await player.waitForState('waiting');
  await look('waiting', 8);
  const host = await admin.openHost(relay, broadcast.publishToken);
  await host.waitUntilLive();
  await player.waitForPicture();
  await page.bringToFront();
  await page.keyboard.press('+');
  await look('live and magnified', 8);
  await host.page.close();
  await player.waitForState('away');
  await look('away', 8);
  const cdp = await page.context().newCDPSession(page);
  const insets = {
    top: 44,
    topMax: 44,
    left: 44,
    leftMax: 44,
    bottom: 34,
    bottomMax: 34,
    right: 44,
    rightMax: 44,
  };
  await cdp.send('Emulation.setSafeAreaInsetsOverride', { insets });
  await look('away beside a notch', 34);
  await relay.endBroadcast(broadcast.id);
  await player.waitForState('ended');
  await look('ended', 34);
});
