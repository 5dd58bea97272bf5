import assert from 'node:assert/strict';
import { type Crop, Hand, untilCropped, untilShown } from '../src/cropping.ts';
import type { PanelPage, PlayerPage, Point } from '../src/pages.ts';
import { scenario } from '../src/stage.ts';
import { until } from '../src/until.ts';
import { placeIn, UNCROPPED } from '../src/witness.ts';

/** The first and the last pixel of a ruler's band are edges worth standing on. */
const CROPS: readonly Crop[] = [
  { x: 46, y: 46, width: 402, height: 178 },
  { x: 0, y: 0, width: 640, height: 358 },
  { x: 48, y: 2, width: 592, height: 300 },
  { x: 14, y: 38, width: 356, height: 322 },
];

scenario('a crop is exact to the pixel', async (stage) => {
  const { relay, broadcast } = stage;
  const admin = await stage.chromium({ scene: { moving: false } });
  const panel = await admin.openPanel(relay, broadcast.publishToken);
  const host = await panel.shareAt({ width: 640, height: 360 });
  await host.waitUntilLive();
  const player = await admin.openPlayer(relay, broadcast.playToken, {
    places: [UNCROPPED, ...CROPS.map((crop) => placeIn(crop))],
  });
  await untilShown(player, { x: 0, y: 0, width: 640, height: 360 });
  for (const crop of CROPS) {
    const startedMs = performance.now();
    await panel.crop(crop);
    const { rows, columns } = await untilShown(player, crop);
    const tookMs = performance.now() - startedMs;
    stage.note(
      `${crop.width} x ${crop.height} at ${crop.x}, ${crop.y}: every pixel right in ${rows} rows and ${columns} columns of the ruler, ${tookMs.toFixed()} ms after the first keystroke`,
    );
  }
  await panel.page.getByRole('button', { name: 'Reset crop' }).click();
  await untilShown(player, { x: 0, y: 0, width: 640, height: 360 });
  await stage.assertUnharmed({ player });
});

scenario('a crop moves live', async (stage) => {
  const { relay, broadcast } = stage;
  const admin = await stage.chromium();
  const panel = await admin.openPanel(relay, broadcast.publishToken);
  const host = await panel.shareAt({ width: 640, height: 360 });
  await host.waitUntilLive();
  const crop = { x: 0, y: 0, width: 480, height: 270 };
  const steps = [0, 2, 4, 6, 8, 10, 12, 14, 16, 18];
  const player = await admin.openPlayer(relay, broadcast.playToken, {
    places: [UNCROPPED, ...steps.map((x) => placeIn({ x, y: 0 }))],
  });
  await player.waitForPicture();
  await panel.crop(crop);
  await until('the crop', async () => (await player.records()).picture?.width === crop.width);
  await player.waitForPicture();
  await player.resetWitness();
  const tookMs: number[] = [];
  for (const x of steps.slice(1)) {
    await moveRight(panel);
    const startedMs = performance.now();
    await until(`the code at ${x}`, () => isAt(player, x));
    tookMs.push(performance.now() - startedMs);
  }
  const worstMs = Math.max(...tookMs);
  const { largestGapMs } = await player.witness();
  stage.note(
    `${tookMs.length} steps of 2 pixels: seen at most ${worstMs.toFixed()} ms after the key, moving all the time (largest gap ${largestGapMs} ms)`,
  );
  assert.ok(largestGapMs < 1_000, 'the picture moved all the time');
  const snapshot = await stage.assertUnharmed({ player });
  assert.equal(snapshot.epoch, 1, 'one epoch for all of it');
});

scenario('a crop is dragged with a mouse, over the edges as well', async (stage) => {
  const { relay, broadcast } = stage;
  const admin = await stage.chromium({ scene: { moving: false } });
  const panel = await admin.openPanel(relay, broadcast.publishToken);
  const host = await panel.shareAt({ width: 640, height: 360 });
  await host.waitUntilLive();
  const player = await admin.openPlayer(relay, broadcast.playToken);
  await untilShown(player, { x: 0, y: 0, width: 640, height: 360 });
  let crop = { x: 100, y: 60, width: 320, height: 180 };
  await panel.crop(crop);
  await untilShown(player, crop);
  const hand = await Hand.on(panel, { width: 640 });
  /** Drags, and waits until the viewer sees what the admin was shown. */
  const drag = async (from: Point, to: Point, wanted: Crop) => {
    await hand.drag(from, to);
    crop = await untilCropped(host, wanted);
    await untilShown(player, crop);
  };
  const corner = { x: crop.x + crop.width, y: crop.y + crop.height };
  const further = { x: corner.x + 60, y: corner.y + 40 };
  await drag(corner, further, { ...crop, width: 380, height: 220 });
  const middle = () => ({ x: crop.x + crop.width / 2, y: crop.y + crop.height / 2 });
  const from = middle();
  const moved = { ...crop, x: crop.x + 40, y: crop.y - 20 };
  await drag(from, { x: from.x + 40, y: from.y - 20 }, moved);
  // Far beyond the stage: the crop stops at the source's edge and keeps its size.
  await drag(middle(), { x: -200, y: -60 }, { ...crop, x: 0, y: 0 });
  const edge = { x: crop.x + crop.width, y: crop.y + crop.height / 2 };
  await drag(edge, { x: 940, y: edge.y }, { ...crop, width: 640 });
  // On an empty place a new one is drawn, and ends where the source does.
  const top = crop.height + 20;
  const below = { x: 320, y: top, width: 320, height: 360 - top };
  await drag({ x: 320, y: top }, { x: 690, y: 410 }, below);
  await stage.assertUnharmed({ player });
});

for (const scale of [1, 1.5]) {
  scenario(`on a picture without a crop a mouse draws one, at scale ${scale}`, async (stage) => {
    const { relay, broadcast } = stage;
    const admin = await stage.chromium({ scene: { moving: false } });
    const panel = await admin.openPanel(relay, broadcast.publishToken, { scale });
    assert.equal(await panel.page.evaluate('devicePixelRatio'), scale);
    const host = await panel.shareAt({ width: 640, height: 360 });
    await host.waitUntilLive();
    const player = await admin.openPlayer(relay, broadcast.playToken);
    await untilShown(player, { x: 0, y: 0, width: 640, height: 360 });
    const hand = await Hand.on(panel, { width: 640 });
    await hand.drag({ x: 120, y: 80 }, { x: 420, y: 260 });
    const drawn = await untilCropped(host, { x: 120, y: 80, width: 300, height: 180 });
    await untilShown(player, drawn);
    // Inside of it, the same drag moves it.
    await hand.drag({ x: 200, y: 150 }, { x: 260, y: 180 });
    const moved = await untilCropped(host, { ...drawn, x: drawn.x + 60, y: drawn.y + 30 });
    await untilShown(player, moved);
    await panel.page.getByRole('button', { name: 'Reset crop' }).click();
    await untilShown(player, { x: 0, y: 0, width: 640, height: 360 });
    await stage.assertUnharmed({ player });
  });
}

scenario('a number that is typed holds, and the fields say what does', async (stage) => {
  const { relay, broadcast } = stage;
  const admin = await stage.chromium({ scene: { moving: false } });
  const panel = await admin.openPanel(relay, broadcast.publishToken);
  const host = await panel.shareAt({ width: 640, height: 360 });
  await host.waitUntilLive();
  const player = await admin.openPlayer(relay, broadcast.playToken);
  await untilShown(player, { x: 0, y: 0, width: 640, height: 360 });
  /** Types one number, and reads what all of them say then. */
  const type = async (label: string, value: number, crop: Crop) => {
    const field = (name: string) => panel.page.getByLabel(name, { exact: true });
    await field(label).fill(String(value));
    await field(label).press('Enter');
    await untilShown(player, crop);
    const said = await Promise.all(
      ['Left', 'Top', 'Width', 'Height'].map((name) => field(name).inputValue()),
    );
    const { x, y, width, height } = crop;
    assert.deepEqual(said.map(Number), [x, y, width, height], `after ${label} ${value}`);
  };
  await type('Left', 100, { x: 100, y: 0, width: 540, height: 360 });
  await type('Top', 60, { x: 100, y: 60, width: 540, height: 300 });
  // There is no room for it to the right, and what is to the left was not asked for.
  await type('Width', 600, { x: 100, y: 60, width: 540, height: 300 });
  await type('Width', 320, { x: 100, y: 60, width: 320, height: 300 });
  await type('Left', 200, { x: 200, y: 60, width: 320, height: 300 });
  await stage.assertUnharmed({ player });
});

/** One pixel of chroma, as the admin's arrow key moves it. */
async function moveRight(panel: PanelPage): Promise<void> {
  const area = panel.page.getByRole('button', { name: /^Crop:/ });
  await area.press('Control+ArrowRight');
}

/** Whether the code is read where this crop has it, and nowhere else. */
async function isAt(player: PlayerPage, x: number): Promise<boolean> {
  await player.look([placeIn({ x, y: 0 })]);
  const before = (await player.witness()).read;
  return until(
    'a code',
    async () => {
      const { read } = await player.witness();
      return read > before ? true : null;
    },
    { withinMs: 200 },
  ).catch(() => false);
}
