import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import type { PlayerOptions, PlayerTab } from '../src/chromium.ts';
import type { HostPage } from '../src/pages.ts';
import { Fingers, Sighting } from '../src/sighting.ts';
import { type Stage, scenario } from '../src/stage.ts';
import { until } from '../src/until.ts';

/** Twice as wide and high as the player's window: what is shown there pixel by pixel is magnified by two. */
const SOURCE = { width: 1280, height: 720 };

interface Scene {
  host: HostPage;
  player: PlayerTab;
  sighting: Sighting;
  /** Waits until just this part of the source is seen, in every pixel. */
  sees: (x: number, y: number, size?: { width: number; height: number }) => Promise<void>;
}

async function setUp(stage: Stage, options: PlayerOptions): Promise<Scene> {
  const { relay, broadcast } = stage;
  const admin = await stage.chromium({ viewport: SOURCE });
  const host = await admin.openHost(relay, broadcast.publishToken);
  await host.waitUntilLive();
  await host.setScene({ moving: false });
  const audience = await stage.chromium();
  const sighting = new Sighting(await audience.openLens());
  const player = await audience.openPlayer(relay, broadcast.playToken, options);
  await player.waitForState('static');
  await until('a sharp ruler', () => player.measure());
  await player.page.bringToFront();
  const sees: Scene['sees'] = async (x, y, { width, height } = { width: 640, height: 360 }) => {
    await until(`${x}, ${y} to be seen to the pixel`, async () => {
      const seen = await sighting.measure(player.page);
      return (
        seen !== null &&
        [seen.x, seen.y, seen.width, seen.height].join() === [x, y, width, height].join()
      );
    });
  };
  return { host, player, sighting, sees };
}

const isMagnified = ({ page }: PlayerTab) =>
  page.getByRole('button', { name: 'Show the whole picture' }).isVisible();

for (const [way, options] of [
  ['WebTransport', {}],
  ['WebRTC', { webTransport: 'none' }],
] as const) {
  scenario(`over ${way} a viewer looks closer, to the pixel, and it stays so`, async (stage) => {
    const { relay } = stage;
    const { host, player, sees } = await setUp(stage, options);
    const { page } = player;
    assert.equal(await isMagnified(player), false);
    await page.mouse.dblclick(320, 180);
    await sees(320, 180);
    // To the corner, and no further.
    await page.mouse.move(300, 200);
    await page.mouse.down();
    await page.mouse.move(900, 900, { steps: 5 });
    await page.mouse.up();
    await sees(0, 0);
    for (let step = 0; step < 2; step += 1) await page.keyboard.press('ArrowRight');
    await sees(192, 0);

    // Through new pictures, and a connection that is lost.
    await host.setScene({ moving: true });
    await player.waitForPicture();
    await relay.stop();
    await player.waitForState('reconnecting');
    await page.getByRole('button', { name: 'Put this note aside' }).click();
    await sees(192, 0);
    await relay.startAgain();
    await player.waitForPicture();
    await host.setScene({ moving: false });
    await player.waitForState('static');
    await sees(192, 0);
    await page.mouse.dblclick(320, 180);
    await until('the whole picture', async () => !(await isMagnified(player)));
  });
}

scenario('wheel, keys and fingers magnify around where they are', async (stage) => {
  const { player, sees } = await setUp(stage, {});
  const { page } = player;
  const zoom = async () => {
    const chip = page.getByRole('button', { name: 'Show the whole picture' });
    return (await chip.isVisible()) ? Number.parseFloat((await chip.textContent()) ?? '') : 1;
  };
  await page.mouse.move(0, 0);
  for (let turns = 0; turns < 30; turns += 1) await page.mouse.wheel(0, -200);
  await until('as close as it gets', async () => (await zoom()) === 8);
  for (let turns = 0; turns < 30; turns += 1) await page.mouse.wheel(0, 200);
  await until('the whole picture', async () => (await zoom()) === 1);
  assert.equal(await page.evaluate(() => visualViewport?.scale), 1, 'the page itself is as it was');
  // A key counts from the moment in which there is something for it to do. The page watches before
  // the key is pressed: input overtakes what is evaluated.
  const watch = await page.evaluateHandle(() => {
    const seen: { step: string | null } = { step: null };
    const observer = new MutationObserver(() => {
      const chip = document.querySelector('[aria-label$=": Show the whole picture"]');
      if (chip === null) return;
      observer.disconnect();
      seen.step = chip.textContent;
      document.body.dispatchEvent(new KeyboardEvent('keydown', { key: '0', bubbles: true }));
    });
    observer.observe(document.body, { subtree: true, childList: true });
    return seen;
  });
  await page.keyboard.press('+');
  const step = await until('one step closer', () => watch.evaluate((seen) => seen.step));
  assert.equal(Number.parseFloat(step), 1.3);
  await until('all of it', async () => (await zoom()) === 1);

  const fingers = await Fingers.on(page);
  // Twice as far from one another, around the middle of the left half.
  await fingers.move(
    [
      [110, 180],
      [210, 180],
    ],
    [
      [60, 180],
      [260, 180],
    ],
  );
  await until('a pinch', async () => (await zoom()) > 1.7);
  await fingers.doubleTap([320, 180]);
  await until('all of it', async () => (await zoom()) === 1);
  await fingers.doubleTap([160, 180]);
  await sees(160, 180);
  await fingers.move([[300, 100]], [[1_200, 100]]);
  await sees(0, 180);
});

scenario(
  'a picture that fills the window can be moved, and hides nothing for good',
  async (stage) => {
    const { player, sees } = await setUp(stage, {});
    const { page } = player;
    // As high as the source, and not as wide: filled, it is shown pixel by pixel.
    const window = { width: 400, height: 720 };
    await page.setViewportSize(window);
    await page.keyboard.press('z');
    await sees(440, 0, window);
    const drag = async (by: number) => {
      await page.mouse.move(200, 300);
      await page.mouse.down();
      await page.mouse.move(200 + by, 320, { steps: 4 });
      await page.mouse.up();
    };
    await drag(100);
    await sees(340, 0, window);
    await drag(900);
    await sees(0, 0, window);
    await drag(-1_900);
    await sees(880, 0, window);
  },
);

scenario('the picture is saved to a file, all of it', async (stage) => {
  const { player, sighting, sees } = await setUp(stage, {});
  const { page } = player;
  await page.mouse.dblclick(320, 180);
  await sees(320, 180);
  const saved = page.waitForEvent('download');
  await page.keyboard.press('d');
  const download = await saved;
  assert.match(
    download.suggestedFilename(),
    /^Browser test \d{4}-\d\d-\d\d \d\d\.\d\d\.\d\d\.png$/,
  );
  const measured = await sighting.measurePng(await readFile(await download.path()));
  assert.deepEqual(measured, { ...measured, x: 0, y: 0, ...SOURCE });
});
