import assert from 'node:assert/strict';
import type { PlayerTab } from '../src/chromium.ts';
import { keepTrack } from '../src/script.ts';
import { scenario } from '../src/stage.ts';
import { until } from '../src/until.ts';

const WHEP = { webTransport: 'none' } as const;
/** The card's background, give or take what a codec makes of it. */
const CARD = [0x15, 0x18, 0x1d];

/** The frame that a page plays, whatever covers it: a corner of it, as R, G and B. */
function corner({ page }: PlayerTab): Promise<number[] | null> {
  return page.evaluate(() => {
    const picture = document.querySelector<HTMLVideoElement | HTMLCanvasElement>('.player-picture');
    const width = picture instanceof HTMLVideoElement ? picture.videoWidth : picture?.width;
    if (picture === null || picture === undefined || width === undefined || width === 0)
      return null;
    const context = new OffscreenCanvas(8, 8).getContext('2d');
    if (context === null) return null;
    context.drawImage(picture, 0, 0, 8, 8, 0, 0, 8, 8);
    return [...context.getImageData(4, 4, 1, 1).data.slice(0, 3)];
  });
}

async function isCard(tab: PlayerTab): Promise<boolean> {
  const seen = await corner(tab);
  return seen?.every((value, at) => Math.abs(value - (CARD[at] ?? 0)) < 12) === true;
}

/** Nothing of the picture is on the page, and the card says why. */
async function assertCovered(tab: PlayerTab, who: string): Promise<void> {
  await tab.page.getByText('The host has paused the picture').first().waitFor();
  const visible = await tab.page.locator('.player-picture').first().isVisible();
  assert.equal(visible, false, `${who}: nothing is seen of the picture`);
}

scenario(
  'a picture that is taken back is seen by nobody until it is shown again',
  async (stage) => {
    const { relay, broadcast } = stage;
    const admin = await stage.chromium();
    const audience = await stage.chromium();
    const panel = await admin.openPanel(relay, broadcast.publishToken);
    const host = await panel.share();
    await host.waitUntilLive();
    const players = {
      direct: await audience.openPlayer(relay, broadcast.playToken),
      bridged: await audience.openPlayer(relay, broadcast.playToken, WHEP),
    };
    for (const player of Object.values(players)) await player.waitForPicture();

    const pressedMs = Date.now();
    await panel.page.getByRole('button', { name: 'Pause the picture' }).click();
    for (const [who, player] of Object.entries(players)) {
      await player.waitForState('paused', 2_000);
      await assertCovered(player, who);
      await until(`the card for ${who}`, () => isCard(player));
    }
    stage.note(`covered, with cards, ${Date.now() - pressedMs} ms after the press`);
    await panel.waitForState('paused');
    const { phase, cache } = await stage.snapshot();
    assert.equal(phase, 'paused');
    assert.equal(cache.groups, 1, 'nothing but the card is kept');

    // Whoever comes now sees the card, and so does the host's page after a reload.
    const late = await audience.openPlayer(relay, broadcast.playToken, { places: null });
    await late.waitForState('paused');
    await assertCovered(late, 'late');
    await panel.page.reload();
    // A key does what the panel shows.
    await panel.page.getByRole('button', { name: 'Show the picture' }).first().waitFor();

    await panel.page.keyboard.press('Alt+KeyP');
    await panel.waitForState('live');
    for (const player of Object.values(players)) {
      await player.waitForPicture();
      await player.waitForState('live');
    }
    await late.page.close();

    // Stopping leaves nothing behind either.
    await panel.page.getByRole('button', { name: 'Stop sharing' }).click();
    for (const [who, player] of Object.entries(players)) {
      await player.waitForState('paused', 5_000);
      await assertCovered(player, who);
      await until(`the card for ${who}`, () => isCard(player));
    }
    assert.equal((await stage.snapshot()).phase, 'paused');
  },
);

scenario('a capture window that is reloaded in a pause goes on with the card', async (stage) => {
  const { relay, broadcast } = stage;
  const admin = await stage.chromium();
  const panel = await admin.openPanel(relay, broadcast.publishToken);
  const host = await panel.share();
  await host.waitUntilLive();
  const player = await admin.openPlayer(relay, broadcast.playToken);
  await player.waitForPicture();
  await panel.page.keyboard.press('Alt+KeyP');
  await player.waitForState('paused');
  await until('the card', () => isCard(player));
  const sinceMs = Date.now();
  await host.page.reload();
  await host.waitFor('the pause again', ({ state }) => state === 'paused');
  const { newest } = await player.witness();
  assert.ok(newest === null || newest.atMs < sinceMs, 'no picture was seen meanwhile');
  assert.ok(await isCard(player));
  assert.equal((await player.state()).kind, 'paused');
  await panel.waitForState('paused');
  await panel.page.getByRole('button', { name: 'Show the picture again' }).click();
  await player.waitForPicture();
});

scenario(
  'a source that ends leaves a card, or the last picture where that is wished for',
  async (stage) => {
    const { relay } = stage;
    const admin = await stage.chromium();
    await admin.context.addInitScript(keepTrack);
    for (const [wish, state] of [
      ['card', 'paused'],
      ['picture', 'away'],
    ] as const) {
      const broadcast = await relay.createBroadcast(`With a ${wish}`);
      const panel = await admin.openPanel(relay, broadcast.publishToken);
      const host = await panel.share();
      await host.waitUntilLive();
      const player = await admin.openPlayer(relay, broadcast.playToken);
      await player.waitForPicture();
      await panel.choose('When the window closes', wish);
      await panel.waitForQuality({ onEnd: wish });
      await host.page.evaluate('endSource()');
      await player.waitForState(state, 5_000);
      if (wish === 'card') await until('the card', () => isCard(player));
      else assert.equal(await isCard(player), false);
    }
  },
);
