import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import type { Page } from 'puppeteer-core';
import { untilPartShown, untilShown } from '../src/cropping.ts';
import { clickOn, Desktop, hostStatus, picksTitled, typeIn } from '../src/desktop.ts';
import { linkTo } from '../src/links.ts';
import type { PlayerPage, Point } from '../src/pages.ts';
import { sceneScript } from '../src/scene.ts';
import { scenario } from '../src/stage.ts';
import { until } from '../src/until.ts';
import { placeIn } from '../src/witness.ts';

const SOURCE = { width: 640, height: 360 };
const CROP = { x: 200, y: 140, width: 320, height: 200 };
/** Of the crop's beginning, which tells where a picture comes from. */
const CORNER = { width: 64, height: 64 };

const FIELDS = [
  ['Width', 'width'],
  ['Height', 'height'],
  ['Left', 'x'],
  ['Top', 'y'],
] as const;
/** As browsers name them. */
const SURFACE = { window: 'window', tab: 'browser' } as const;

scenario('a tab that changes its size shows nothing that was cut away', async (stage) => {
  const { relay, broadcast } = stage;
  const admin = await stage.chromium({ scene: { moving: false } });
  const panel = await admin.openPanel(relay, broadcast.publishToken);
  const host = await panel.shareAt(SOURCE);
  await host.waitUntilLive();
  const player = await admin.openPlayer(relay, broadcast.playToken);
  await player.waitForPicture(0);
  await panel.crop(CROP);
  await untilShown(player, CROP);
  const places = await player.followPart(CORNER);

  for (const size of [
    { width: 400, height: 360 },
    { width: 400, height: 240 },
    { width: 640, height: 280 },
  ]) {
    await host.page.setViewportSize(size);
    const part = {
      width: Math.min(CROP.width, size.width - CROP.x),
      height: Math.min(CROP.height, size.height - CROP.y),
    };
    await untilPartShown(player, CROP, part);
    await panel.page.getByText('Live, part of the crop', { exact: true }).waitFor();
    await host.page.setViewportSize(SOURCE);
    await untilShown(player, CROP);
  }
  await panel.page.getByText('Live', { exact: true }).waitFor();

  // Nothing of the crop is left: the picture stays as it is, and the panel says so.
  await host.page.setViewportSize({ width: 190, height: 360 });
  await panel.page.getByText('Live, no picture', { exact: true }).waitFor();
  const before = await shownAtRest(player);
  await host.setScene({ moving: true });
  const { counts } = await host.waitFor('smaller', ({ source }) => source?.width === 190);
  await host.waitFor('capturing on', ({ counts: now }) => now.framesIn > counts.framesIn + 30);
  assert.equal((await player.records()).framesShown, before, 'no picture of anything else');
  await host.setScene({ moving: false });
  await host.page.setViewportSize(SOURCE);
  await untilShown(player, CROP);

  // Larger than it ever was: the crop is what it was, to the pixel.
  await host.page.setViewportSize({ width: 1000, height: 700 });
  await host.waitFor('larger', ({ source }) => source?.width === 1000 && source.height === 700);
  await untilShown(player, CROP);
  await panel.choose('Frame rate', 15);
  await panel.waitForQuality({ frameRate: 15 });
  await host.page.setViewportSize({ width: 1200, height: 680 });
  await host.waitFor('larger', ({ source }) => source?.width === 1200 && source.height === 680);
  await untilShown(player, CROP);
  assertStayed(await places(), CROP);
  await until('the crop as it was meant', async () => {
    return JSON.stringify((await host.status())?.crop) === JSON.stringify(CROP);
  });
  await stage.assertUnharmed({ player });
});

/** A window is asked for by name (UNSTEADY=1): now and then its picture is not where it is looked for, and why is not known. */
const KINDS: readonly ('window' | 'tab')[] =
  process.env['UNSTEADY'] === undefined ? ['tab'] : ['window', 'tab'];

for (const kind of KINDS) {
  scenario(`on a real desktop: a shared ${kind} is made smaller and larger`, async (stage) => {
    const { relay, broadcast } = stage;
    const desktop = stage.closeLater(await Desktop.start(picksTitled(kind, 'The captured page')));
    // Of an odd number of rows browsers make an even one, by scaling the picture: a tab has an even one so.
    const box = { left: 0, top: 0, width: 700, height: kind === 'tab' ? 561 : 560 };
    const shared = await desktop.openWindow(`${relay.origin}/`, box);
    await until('the page to be shared', async () => {
      // What is there before it is complete as well.
      const ready = `location.pathname === '/' && document.readyState === 'complete'`;
      return (await shared.evaluate(ready)) === true;
    });
    // No bar for scrolling may come to lie over it.
    await shared.evaluate(
      `document.title = 'The captured page'; document.documentElement.style.overflow = 'hidden'`,
    );
    await shared.evaluate(sceneScript({ moving: false }));
    await desktop.manage(/^The captured page/);
    const panel = await desktop.openWindow(linkTo(relay.origin, 'admin', broadcast.publishToken), {
      left: 640,
      top: 20,
      width: 640,
      height: 700,
    });
    const host = await desktop.opened('/host', () => clickOn(panel, 'Share screen'));
    await until('the host to be live', async () => {
      const status = await hostStatus(host);
      return status?.state === 'live' && status.source?.surface === SURFACE[kind];
    });
    // A window is shared with the browser's own bars, a tab without.
    const inset = kind === 'tab' ? { x: 0, y: 0 } : await insetOf(shared);
    const crop = { ...CROP, x: even(inset.x + 360), y: even(inset.y + 140), height: 160 };
    const seen = { ...crop, x: crop.x - inset.x, y: crop.y - inset.y };
    const player = await (await stage.chromium()).openPlayer(relay, broadcast.playToken, {
      places: [placeIn({ x: -inset.x, y: -inset.y })],
    });
    await player.waitForPicture(0);
    for (const [label, side] of FIELDS) await typeIn(panel, label, crop[side]);
    await until('the crop', async () => {
      return isDeepStrictEqual((await hostStatus(host))?.crop, crop);
    });
    await untilShown(player, seen);
    const places = await player.followPart(CORNER);
    for (const width of [560, 610]) {
      await desktop.move(shared, { ...box, width });
      const part = { width: width - crop.x, height: 160 };
      await untilPartShown(player, seen, part);
      await until('the panel to say so', async () => {
        return String(await panel.evaluate('document.body.innerText')).includes('part of the crop');
      });
      await desktop.move(shared, box);
      await untilShown(player, seen);
    }
    // Larger than it was, and than the whole screen is.
    await desktop.move(shared, { ...box, width: 1400, height: box.height + 340 });
    await until('it to be larger', async () => {
      return (await hostStatus(host))?.source?.width === 1400;
    });
    await untilShown(player, seen);
    assertStayed(await places(), seen);
    await stage.assertUnharmed({ player });
  });
}

/** How many pictures a player has shown once none is on its way: what it says is a moment old. */
function shownAtRest(player: PlayerPage): Promise<number> {
  let last = -1;
  const probe = async () => {
    const before = last;
    last = (await player.records()).framesShown;
    return last === before ? last : null;
  };
  return until('no picture on its way', probe, { everyMs: 600 });
}

function even(value: number): number {
  return Math.round(value / 2) * 2;
}

/** Where a page begins in its window. */
async function insetOf(page: Page): Promise<Point> {
  return (await page.evaluate(
    '({ x: (outerWidth - innerWidth) / 2, y: outerHeight - innerHeight })',
  )) as Point;
}

/** A page on its way to another size is captured now and then, and may be a pixel off itself. */
function assertStayed(places: Point[], crop: Point): void {
  for (const { x, y } of places) {
    const off = Math.max(Math.abs(x - crop.x), Math.abs(y - crop.y));
    assert.ok(off <= 1, `the crop was at ${x}, ${y}`);
  }
  assert.ok(places.length > 0);
}
