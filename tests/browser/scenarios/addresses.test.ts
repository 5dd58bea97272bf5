/** Whoever shares the whole screen shows addresses and titles: no token is in them (PROTOCOL 6.2). */

import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { PanelPage, PlayerPage } from '../src/pages.ts';
import { type Stage, scenario } from '../src/stage.ts';
import { until } from '../src/until.ts';

scenario('no token is in an address, the history or a title', async (stage) => {
  const { relay, broadcast } = stage;
  const { id } = broadcast;
  const admin = await stage.chromium();
  const panel = await admin.openPanel(relay, broadcast.publishToken);
  const host = await panel.share();
  await host.waitUntilLive();
  const player = await admin.openPlayer(relay, broadcast.playToken);
  await player.waitForPicture();
  const pages = { panel: panel.page, 'capture window': host.page, player: player.page };
  const check = async () => {
    for (const [name, page] of Object.entries(pages)) await assertClean(stage, name, page);
  };
  await check();
  assert.equal(panel.page.url(), `${relay.origin}/admin#broadcast=${id}`);
  assert.equal(host.page.url(), `${relay.origin}/host#broadcast=${id}`);
  assert.equal(player.page.url(), `${relay.origin}/play#broadcast=${id}`);

  await panel.page.reload();
  await panel.waitForState('live');
  await panel.page.goto(`${relay.origin}/`);
  await panel.page.goBack();
  await panel.waitForState('live');
  const second = new PanelPage(await admin.context.newPage());
  await second.page.goto(panel.page.url());
  await second.waitForState('live');
  await host.page.reload();
  await host.waitUntilLive();
  const resumedMs = Date.now();
  await player.page.reload();
  await player.waitForPicture(resumedMs);
  const bookmark = new PlayerPage(await open(admin.context, player.page.url()));
  await bookmark.waitForState('live');
  await check();
  await assertClean(stage, 'second panel', second.page);

  await admin.context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await second.page.bringToFront();
  await second.page.getByRole('button', { name: 'Copy admin link', exact: true }).click();
  const copied = await until('the link', () =>
    second.page.evaluate(() => navigator.clipboard.readText()),
  );
  assert.equal(copied, `${relay.origin}/admin#token=${broadcast.publishToken}`);
});

scenario('links of before are good, and are not seen for long either', async (stage) => {
  const { relay, broadcast } = stage;
  const admin = await stage.chromium();
  admin.bareLinks = true;
  const host = await admin.openHost(relay, broadcast.publishToken);
  await host.waitUntilLive();
  const panel = await admin.openPanel(relay, broadcast.publishToken);
  await panel.waitForState('live');
  const player = await admin.openPlayer(relay, broadcast.playToken);
  await player.waitForPicture();
  const pages = { panel: panel.page, 'capture window': host.page, player: player.page };
  for (const [name, page] of Object.entries(pages)) await assertClean(stage, name, page);
  await player.page.goto(`${relay.origin}/`);
  await player.page.getByLabel('You were invited to watch').fill(broadcast.playToken);
  await player.page.getByRole('button', { name: 'Watch' }).click();
  await player.waitForState('live');
  await assertClean(stage, 'player from the start page', player.page);
});

scenario('an address alone opens nothing elsewhere, and the page says what does', async (stage) => {
  const { relay, broadcast } = stage;
  const stranger = await stage.chromium();
  const at = (page: string) => `${relay.origin}/${page}#broadcast=${broadcast.id}`;
  const panel = await open(stranger.context, at('admin'));
  await panel.getByText('Open your admin link once more').waitFor();
  const host = await open(stranger.context, at('host'));
  await host.getByText('This link cannot share').waitFor();
  const player = await open(stranger.context, at('play'));
  await player.getByText('Open your link once more').first().waitFor();
  // The link itself, in the same tab, opens it.
  await panel.goto(`${relay.origin}/admin#token=${broadcast.publishToken}`);
  await panel.getByRole('button', { name: 'Share screen' }).waitFor();
  await assertClean(stage, 'panel', panel);
});

async function open(context: { newPage(): Promise<Page> }, url: string): Promise<Page> {
  const page = await context.newPage();
  await page.goto(url);
  return page;
}

async function assertClean({ broadcast }: Stage, name: string, page: Page): Promise<void> {
  const shown = await page.evaluate(() => {
    const { navigation } = window as unknown as {
      navigation: { entries(): { url: string; getState(): unknown }[] };
    };
    const entries = navigation.entries().map((entry) => [entry.url, entry.getState()]);
    return JSON.stringify([location.href, document.title, history.state, entries]);
  });
  for (const token of [broadcast.publishToken, broadcast.playToken]) {
    assert.ok(!shown.includes(token), `${name} shows ${shown}`);
    // Not a part of it either.
    assert.ok(!shown.includes(token.split('.')[1] ?? ''), `${name} shows ${shown}`);
  }
}
