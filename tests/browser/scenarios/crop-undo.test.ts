import assert from 'node:assert/strict';
import { type Crop, Hand, untilCropped, untilShown } from '../src/cropping.ts';
import type { HostPage, PanelPage, PlayerPage } from '../src/pages.ts';
import { type Stage, scenario } from '../src/stage.ts';

const SOURCE = { width: 640, height: 360 };
const WHOLE = { x: 0, y: 0, ...SOURCE };

for (const scale of [1, 1.5]) {
  scenario(`a slip on the crop shows nothing more, at scale ${scale}`, async (stage) => {
    const { panel, host, player } = await share(stage, scale);
    const crop = { x: 100, y: 60, width: 320, height: 180 };
    await panel.crop(crop);
    await untilShown(player, crop);
    const hand = await Hand.on(panel, SOURCE);
    const { keyboard } = panel.page;

    await hand.hold({ x: 260, y: 150 }, { x: 320, y: 190 });
    await untilCropped(host, { ...crop, x: 160, y: 100 });
    await keyboard.press('Escape');
    await untilShown(player, crop);
    // The pointer is still down, and holds nothing any more.
    await hand.move({ x: 400, y: 220 });
    await hand.release();
    await hand.hold({ x: 420, y: 240 }, { x: 560, y: 330 });
    await keyboard.press('Escape');
    await hand.release();
    await hand.hold({ x: 460, y: 20 }, { x: 630, y: 340 });
    await keyboard.press('Escape');
    await hand.release();

    await panel.page.getByRole('button', { name: /^Crop:/ }).press('Escape');
    await hand.drag({ x: 500, y: 300 }, { x: 510, y: 306 });
    await hand.drag({ x: 480, y: 300 }, { x: 620, y: 340 });
    assert.deepEqual(await numbers(panel), crop, 'the panel has the crop that it had');
    // The host hears everything in order: this came after whatever the slips had told it.
    await panel.page.getByRole('button', { name: /^Crop:/ }).press('Control+ArrowRight');
    await untilShown(player, { ...crop, x: 102 });
    await hand.drag({ x: 480, y: 260 }, { x: 548, y: 328 });
    const meant = await untilCropped(host, { x: 480, y: 260, width: 68, height: 68 });
    assert.deepEqual(await numbers(panel), meant);
    await stage.assertUnharmed({ player });
  });
}

scenario('every change of the crop is undone and done again, and said once', async (stage) => {
  const { panel, host, player } = await share(stage, 1);
  const hand = await Hand.on(panel, SOURCE);
  const { keyboard } = panel.page;
  const area = panel.page.getByRole('button', { name: /^Crop:/ });
  const said = await listen(panel);
  const past: Crop[] = [WHOLE];
  const did = async (wanted: Crop) => {
    const { crop } = await host.waitFor('cropped anew', ({ crop }) => !same(crop, past.at(-1)));
    const now = crop ?? WHOLE;
    for (const side of ['x', 'y', 'width', 'height'] as const) {
      assert.ok(Math.abs(now[side] - wanted[side]) <= 2, `${side} of ${JSON.stringify(now)}`);
    }
    await untilShown(player, now);
    past.push(now);
    return now;
  };
  await hand.drag({ x: 120, y: 140 }, { x: 440, y: 320 });
  let crop = await did({ x: 120, y: 140, width: 320, height: 180 });
  await hand.drag({ x: 200, y: 200 }, { x: 240, y: 220 });
  crop = await did({ ...crop, x: crop.x + 40, y: crop.y + 20 });
  await area.press('Shift+ArrowLeft');
  crop = await did({ ...crop, width: crop.width - 16 });
  const left = panel.page.getByLabel('Left', { exact: true });
  await left.fill('100');
  await left.press('Enter');
  crop = await did({ ...crop, x: 100 });
  await panel.page.getByText('1:1', { exact: true }).click();
  crop = await did({ ...crop, x: crop.x + (crop.width - crop.height) / 2, width: crop.height });
  await panel.page.getByRole('button', { name: 'Reset crop' }).click();
  await did(WHOLE);

  const back = past.toReversed().slice(1);
  for (const wanted of back) {
    await keyboard.press('Control+z');
    await untilShown(player, wanted);
  }
  // There is nothing before the beginning.
  await keyboard.press('Control+z');
  for (const wanted of past.slice(1)) {
    await keyboard.press('Control+Shift+Z');
    await untilShown(player, wanted);
  }
  await keyboard.press('Meta+z');
  await untilShown(player, past.at(-2) ?? WHOLE);
  const deeds = [
    'resetting the crop',
    'choosing the shape 1:1',
    'typing the number Left',
    'resizing the crop',
    'moving the crop',
    'drawing a new crop',
  ];
  const wanted = [
    ...deeds.map((deed) => `Undone: ${deed}`),
    ...deeds.toReversed().map((deed) => `Redone: ${deed}`),
    `Undone: ${deeds[0]}`,
  ];
  assert.deepEqual(
    (await said()).map((line) => line.slice(0, line.indexOf('.'))),
    wanted,
    'each is said once',
  );
  await stage.assertUnharmed({ player });
});

async function share(
  stage: Stage,
  scale: number,
): Promise<{ panel: PanelPage; host: HostPage; player: PlayerPage }> {
  const { relay, broadcast } = stage;
  const admin = await stage.chromium({ scene: { moving: false } });
  const panel = await admin.openPanel(relay, broadcast.publishToken, { scale });
  const host = await panel.shareAt(SOURCE);
  await host.waitUntilLive();
  const player = await admin.openPlayer(relay, broadcast.playToken);
  await untilShown(player, WHOLE);
  return { panel, host, player };
}

/** What the panel's fields say. */
async function numbers({ page }: PanelPage): Promise<Crop> {
  const read = async (label: string) =>
    Number(await page.getByLabel(label, { exact: true }).inputValue());
  return {
    x: await read('Left'),
    y: await read('Top'),
    width: await read('Width'),
    height: await read('Height'),
  };
}

/** Notes what the line under the crop comes to say, as whoever has it read out hears it. */
async function listen({ page }: PanelPage): Promise<() => Promise<string[]>> {
  const line = page.locator('.cropper [role="status"]');
  await line.evaluate((element) => {
    const heard: string[] = [];
    const observer = new MutationObserver(() => {
      const text = element.textContent ?? '';
      if (text !== '') heard.push(text);
    });
    observer.observe(element, { childList: true, characterData: true, subtree: true });
    Object.assign(window, { heard });
  });
  return () => page.evaluate<string[]>('window.heard');
}

function same(one: Crop | null, other: Crop | undefined): boolean {
  return JSON.stringify(sides(one ?? WHOLE)) === JSON.stringify(sides(other ?? WHOLE));
}

function sides({ x, y, width, height }: Crop): number[] {
  return [x, y, width, height];
}
