import assert from 'node:assert/strict';
import type { Frame, Page } from 'playwright-core';
import { BarePage, frameIn } from '../src/frames.ts';
import { linkTo } from '../src/links.ts';
import { PlayerPage } from '../src/pages.ts';
import { freePort } from '../src/process.ts';
import { type Stage, scenario } from '../src/stage.ts';
import { doom, type WebTransportFate } from '../src/transports.ts';
import { until } from '../src/until.ts';
import { UNCROPPED, witnessScript } from '../src/witness.ts';

const PORT = await freePort();
/** Of the relay's own site, whose frames may keep something. */
const NEIGHBOUR = `http://127.0.0.1:${PORT}`;
/** Of another one, for whose frames this browser keeps nothing. */
const EMBEDDER = `http://localhost:${PORT}`;
/** The same server by another name, which is not let in. */
const STRANGER = `http://stranger.localhost:${PORT}`;
const WITH_EMBEDDERS = { relay: [`--server-embed-origins=${EMBEDDER},${NEIGHBOUR}`] };
const REFUSED = 'chrome-error://chromewebdata/';

async function openBarePage(stage: Stage, fate: WebTransportFate = 'works'): Promise<Page> {
  stage.closeLater(await BarePage.serve(PORT));
  const audience = await stage.chromium({ viewport: { width: 640, height: 480 } });
  const page = await audience.context.newPage();
  await doom(page, fate);
  await page.addInitScript({ content: witnessScript([UNCROPPED]) });
  return page;
}

async function assertPlays(player: PlayerPage, since = Date.now()): Promise<void> {
  await until('the code of the screen to be read', async () => {
    const { read, newest } = await player.witness();
    return read > 20 && newest !== null && newest.atMs - newest.ageMs > since;
  });
}

/** The player's card that says so; screen readers are told the same elsewhere. */
const titled = (frame: Frame, words: string) => frame.locator('.player-title', { hasText: words });

const FRAMES = [
  { fate: 'works', transport: 'webtransport', embedder: EMBEDDER, where: 'another site' },
  { fate: 'none', transport: 'whep', embedder: NEIGHBOUR, where: 'the same site' },
] as const satisfies { fate: WebTransportFate; [fact: string]: string }[];

for (const { fate, transport, embedder, where } of FRAMES) {
  scenario(
    `the player plays in a frame of ${where}, over ${transport}, and does so again`,
    async (stage) => {
      const { relay, broadcast } = stage;
      const admin = await stage.chromium();
      const host = await admin.openHost(relay, broadcast.publishToken);
      await host.waitUntilLive();
      const page = await openBarePage(stage, fate);
      await page.goto(embedder);
      const frame = await frameIn(page, linkTo(relay.origin, 'play', broadcast.playToken));
      const player = new PlayerPage(frame);
      await assertPlays(player);
      assert.equal(await player.transport(), transport);
      await frame.getByRole('button', { name: 'Full screen' }).click();
      await until('the player to fill the screen', () =>
        frame.evaluate(() => document.fullscreenElement?.matches('.player') === true),
      );
      const anew = page.waitForEvent('framenavigated');
      await frame.evaluate(() => location.reload());
      await anew;
      await assertPlays(player);
    },
    WITH_EMBEDDERS,
  );
}

scenario(
  'nobody else’s page shows the player, and no page shows more than that',
  async (stage) => {
    const { relay, broadcast } = stage;
    const page = await openBarePage(stage);
    const links = {
      play: linkTo(relay.origin, 'play', broadcast.playToken),
      admin: linkTo(relay.origin, 'admin', broadcast.publishToken),
      host: linkTo(relay.origin, 'host', broadcast.publishToken),
      start: `${relay.origin}/`,
    };
    await page.goto(STRANGER);
    for (const [name, link] of Object.entries(links)) {
      assert.equal((await frameIn(page, link)).url(), REFUSED, `${name} at a stranger's`);
    }
    const between = await frameIn(page, EMBEDDER);
    const within = await frameIn(between, links.play);
    assert.equal(within.url(), REFUSED, 'an embedder that a stranger shows');
    await page.goto(EMBEDDER);
    for (const link of [links.admin, links.host, links.start]) {
      assert.equal((await frameIn(page, link)).url(), REFUSED, link);
    }
    const shown = await frameIn(page, links.play);
    await titled(shown, 'Waiting for the host to start').waitFor();
  },
  WITH_EMBEDDERS,
);

scenario(
  'the link for sharing leads out of a frame to the panel',
  async (stage) => {
    const { relay, broadcast } = stage;
    const page = await openBarePage(stage);
    await page.goto(EMBEDDER);
    const frame = await frameIn(page, linkTo(relay.origin, 'play', broadcast.publishToken));
    const opened = page.context().waitForEvent('page');
    await frame.getByRole('link', { name: 'Open the panel' }).click();
    const panel = await opened;
    await panel.getByRole('button', { name: 'Share screen' }).waitFor();
    assert.match(panel.url(), /\/admin#broadcast=/);
    await titled(frame, 'This is the link for sharing').waitFor();
  },
  WITH_EMBEDDERS,
);

scenario(
  'a frame as wide as a phone has the whole bar',
  async (stage) => {
    const { relay, broadcast } = stage;
    const page = await openBarePage(stage);
    await page.goto(EMBEDDER);
    const link = linkTo(relay.origin, 'play', broadcast.playToken);
    const frame = await frameIn(page, link, { width: 358, height: 201 });
    await titled(frame, 'Waiting for the host to start').waitFor();
    const below = await frame.evaluate(() => {
      const bar = document.querySelector('.player-bar');
      return bar === null ? null : innerHeight - bar.getBoundingClientRect().bottom;
    });
    assert.equal(below, 16);
  },
  WITH_EMBEDDERS,
);

scenario('by default no page shows the player, of this machine either', async (stage) => {
  const { relay, broadcast } = stage;
  const page = await openBarePage(stage);
  for (const origin of [EMBEDDER, NEIGHBOUR, STRANGER]) {
    await page.goto(origin);
    const frame = await frameIn(page, linkTo(relay.origin, 'play', broadcast.playToken));
    assert.equal(frame.url(), REFUSED, origin);
  }
});
