import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import { CODE, RULER } from '../src/code.ts';
import type { PanelPage, PlayerPage } from '../src/pages.ts';
import { scenario } from '../src/stage.ts';
import { until } from '../src/until.ts';
import { placeIn, UNCROPPED } from '../src/witness.ts';

interface Crop {
  x: number;
  y: number;
  width: number;
  height: number;
}

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
  const stageBox = await panel.page.locator('.stage-touch').boundingBox();
  assert.ok(stageBox !== null, 'there is something to drag on');
  const scale = stageBox.width / 640;
  /** Where a point of the source is on the panel. */
  const on = (x: number, y: number) => ({ x: stageBox.x + x * scale, y: stageBox.y + y * scale });
  /** Drags by so many source pixels, and waits until the viewer sees what the admin was shown. */
  const drag = async (
    from: { x: number; y: number },
    to: { x: number; y: number },
    wanted: Crop,
  ) => {
    await panel.page.mouse.move(from.x, from.y);
    await panel.page.mouse.down();
    await panel.page.mouse.move(to.x, to.y, { steps: 8 });
    await panel.page.mouse.up();
    const near = (one: number, other: number) => Math.abs(one - other) <= 2;
    const status = await host.waitFor(`cropped to about ${JSON.stringify(wanted)}`, ({ crop }) => {
      return (
        crop !== null &&
        (['x', 'y', 'width', 'height'] as const).every((key) => near(crop[key], wanted[key]))
      );
    });
    assert.ok(status.crop !== null);
    crop = status.crop;
    await untilShown(player, crop);
  };
  const corner = await panel.page.locator('.grip-se').boundingBox();
  assert.ok(corner !== null, 'the crop has a corner to take');
  const grip = { x: corner.x + corner.width / 2, y: corner.y + corner.height / 2 };
  await drag(
    grip,
    { x: grip.x + 60 * scale, y: grip.y + 40 * scale },
    {
      ...crop,
      width: 380,
      height: 220,
    },
  );
  const middle = () => on(crop.x + crop.width / 2, crop.y + crop.height / 2);
  const from = middle();
  await drag(
    from,
    { x: from.x + 40 * scale, y: from.y - 20 * scale },
    {
      ...crop,
      x: crop.x + 40,
      y: crop.y - 20,
    },
  );
  // Far beyond the stage: the crop stops at the source's edge and keeps its size.
  await drag(middle(), { x: stageBox.x - 200, y: stageBox.y - 60 }, { ...crop, x: 0, y: 0 });
  const edge = on(crop.x + crop.width, crop.y + crop.height / 2);
  const outside = { x: stageBox.x + stageBox.width + 300, y: edge.y };
  await drag(edge, outside, { ...crop, width: 640 });
  const left = { ...crop, y: 0, height: crop.height };
  const whole = on(left.x + 320, left.y + left.height + 20);
  // On an empty place a new one is drawn, and ends where the source does.
  await drag(
    whole,
    { x: stageBox.x + stageBox.width + 50, y: stageBox.y + stageBox.height + 50 },
    {
      x: 320,
      y: left.height + 20,
      width: 320,
      height: 360 - left.height - 20,
    },
  );
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

/** Waits until the player shows exactly this part of the source, every pixel of the ruler right. */
async function untilShown(player: PlayerPage, crop: Crop) {
  const wanted = { ...crop, ...rulerIn(crop) };
  return until(`exactly ${JSON.stringify(wanted)}`, async () => {
    const measured = await player.measure();
    return isDeepStrictEqual(measured, wanted) ? measured : null;
  });
}

/** How many whole rows and columns of the ruler a crop shows: those that the code leaves free. */
function rulerIn({ x, y, width, height }: Crop): { rows: number; columns: number } {
  const margin = 4;
  const code = {
    left: CODE.x - margin,
    right: CODE.x + CODE.columns * CODE.cell + margin,
    top: CODE.y - margin,
    bottom: CODE.y + CODE.rows * CODE.cell + margin,
  };
  const across = x < code.right && x + width > code.left;
  const down = y < code.bottom && y + height > code.top;
  const lines = (start: number, length: number) =>
    Array.from({ length }, (_, at) => start + at).filter(
      (at) => at % RULER.period < RULER.thickness,
    );
  return {
    rows: lines(y, height).filter((at) => !across || at < code.top || at >= code.bottom).length,
    columns: lines(x, width).filter((at) => !down || at < code.left || at >= code.right).length,
  };
}
