import assert from 'node:assert/strict';
import { ms } from '../src/checks.ts';
import type { PlayerPage } from '../src/pages.ts';
import { scenario } from '../src/stage.ts';
import { until } from '../src/until.ts';
import { placeIn, UNCROPPED } from '../src/witness.ts';

scenario('the publisher changes its codec', async (stage) => {
  const { relay, broadcast } = stage;
  const admin = await stage.chromium();
  const panel = await admin.openPanel(relay, broadcast.publishToken);
  const host = await panel.shareAt({ width: 640, height: 360 });
  await host.waitUntilLive();
  const player = await admin.openPlayer(relay, broadcast.playToken);
  await player.waitForPicture();
  for (const [codec, prefix] of [
    ['h264', 'avc1'],
    ['vp9', 'vp09'],
    ['vp8', 'vp8'],
    ['av1', 'av01'],
  ] as const) {
    await player.resetWitness();
    await panel.choose('Codec', codec);
    await until(`a picture in ${codec}`, async () => {
      return (await player.records()).picture?.codec.startsWith(prefix);
    });
    await player.waitForPicture();
    stage.note(`to ${codec}: largest gap ${ms((await player.witness()).largestGapMs)}`);
  }
  const snapshot = await stage.assertUnharmed({ player });
  assert.equal(snapshot.totals.publishersJoined, 1, 'one session for all codecs');
});

scenario('the publisher changes its size', async (stage) => {
  const { relay, broadcast } = stage;
  const small = 854 / 1280;
  const admin = await stage.chromium({ viewport: { width: 1280, height: 720 } });
  const host = await admin.openHost(relay, broadcast.publishToken);
  await host.waitUntilLive();
  const panel = await admin.openPanel(relay, broadcast.publishToken);
  await panel.waitForState('live');
  await panel.choose('Codec', 'vp8');
  const player = await admin.openPlayer(relay, broadcast.playToken, {
    places: [UNCROPPED, placeIn({ x: 0, y: 0 }, small)],
  });
  await player.waitForPicture();
  const change = async (what: string, width: number, height: number, act: () => Promise<void>) => {
    await player.resetWitness();
    await act();
    await untilSized(player, width, height);
    await player.waitForPicture();
    stage.note(`${what}: largest gap ${ms((await player.witness()).largestGapMs)}`);
  };
  await change('source shrinks to 640 x 360', 640, 360, () =>
    host.page.setViewportSize({ width: 640, height: 360 }),
  );
  await change('source grows to 1280 x 720', 1280, 720, () =>
    host.page.setViewportSize({ width: 1280, height: 720 }),
  );
  await change('scaled to 854 x 480', 854, 480, () => panel.choose('Resolution', '480p'));
  await change('as captured', 1280, 720, () => panel.choose('Resolution', 'source'));
  await change('cropped to 402 x 200', 402, 200, () =>
    panel.crop({ x: 0, y: 0, width: 402, height: 200 }),
  );
  // The picture stays as large as the crop, and what is gone of it is black.
  await change('source shrinks below the crop', 402, 200, async () => {
    await host.page.setViewportSize({ width: 400, height: 300 });
    await host.waitFor('smaller', ({ source }) => source?.width === 400);
  });
  await change('an odd source', 400, 154, async () => {
    await panel.page.getByRole('button', { name: 'Reset crop' }).click();
    await host.page.setViewportSize({ width: 401, height: 155 });
  });
  const snapshot = await stage.assertUnharmed({ player });
  assert.equal(snapshot.totals.publishersJoined, 1, 'one session for all sizes');
});

async function untilSized(player: PlayerPage, width: number, height: number): Promise<void> {
  await until(`a picture of ${width} x ${height}`, async () => {
    const { picture } = await player.records();
    return picture?.width === width && picture.height === height;
  });
}
