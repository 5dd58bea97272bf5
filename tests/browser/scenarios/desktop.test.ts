import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import type { Page } from 'puppeteer-core';
import { ms } from '../src/checks.ts';
import type { PlayerTab } from '../src/chromium.ts';
import { clickOn, Desktop, hostStatus, livelinessOf, typeIn } from '../src/desktop.ts';
import { linkTo } from '../src/links.ts';
import { type Stage, scenario } from '../src/stage.ts';
import { until } from '../src/until.ts';
import { placeIn } from '../src/witness.ts';

/** How long the window is out of sight. */
const HIDDEN_S = 5;
const GAP_MS = 1_000;
const SCENE = { left: 0, top: 0, width: 640, height: 480 } as const;

scenario('on a real desktop: the capture window is minimised', async (stage) => {
  const { relay, broadcast } = stage;
  const desktop = stage.closeLater(await Desktop.start());
  const panel = await desktop.openWindow(linkTo(relay.origin, 'admin', broadcast.publishToken), {
    left: 640,
    top: 0,
    width: 640,
    height: 700,
  });
  const host = await desktop.opened('/host', () => clickOn(panel, 'Share screen'));
  await desktop.move(host, { left: 700, top: 100, width: 440, height: 500 });
  const player = await watch(stage, desktop, host, panel);

  const restore = await desktop.minimise(/^Live/);
  await unseen(stage, 'minimised', host, player);
  await restore();
  await until('the window to be visible', () => isVisible(host));
  await player.waitForPicture();

  // Without a driver's flags the browser may keep the panel's page and bring it back as it was.
  await panel.evaluate('void (window.kept = true)');
  await player.resetWitness();
  await panel.goto(`${relay.origin}/`);
  await player.waitForPicture();
  await panel.goBack();
  await until('the panel to be back', async () => (await hostStatus(panel))?.state === 'live');
  const kept = (await panel.evaluate('window.kept === true')) === true;
  const { largestGapMs } = await player.witness();
  stage.note(
    `the panel came back ${kept ? 'from' : 'but not from'} the cache, largest gap ${ms(largestGapMs)}`,
  );
  assert.ok(largestGapMs < GAP_MS);
  const snapshot = await stage.assertUnharmed({ player });
  assert.equal(snapshot.totals.publishersJoined, 1);
});

scenario('on a real desktop: the capture host is a tab in the background', async (stage) => {
  const { relay, broadcast } = stage;
  const desktop = stage.closeLater(await Desktop.start());
  const box = { left: 640, top: 0, width: 600, height: 500 };
  const host = await desktop.openWindow(linkTo(relay.origin, 'host', broadcast.publishToken), box);
  const panel = await desktop.openWindow(linkTo(relay.origin, 'admin', broadcast.publishToken), {
    ...box,
    top: 200,
  });
  const player = await watch(stage, desktop, host, panel);
  const front = await desktop.opened('/', async () => {
    await host.evaluate(`void window.open('${relay.origin}/', '_blank', 'noopener')`);
  });
  await unseen(stage, 'behind another tab', host, player);
  await front.close();
  await until('the tab to be visible', () => isVisible(host));
  await player.waitForPicture();
  await stage.assertUnharmed({ player });
});

/** A player of the scene's part of the screen, in a browser without windows. */
async function watch(stage: Stage, desktop: Desktop, host: Page, panel: Page): Promise<PlayerTab> {
  const { relay, broadcast } = stage;
  await until('the host to be live', async () => (await hostStatus(host))?.state === 'live');
  const scene = await desktop.showScene(`${relay.origin}/`, SCENE);
  const crop = { x: even(scene.x + 32), y: even(scene.y + 32), width: 400, height: 200 };
  await until('the panel to be live', async () => (await hostStatus(panel))?.state === 'live');
  for (const [label, value] of [
    ['Width', crop.width],
    ['Height', crop.height],
    ['Left', crop.x],
    ['Top', crop.y],
  ] as const) {
    await typeIn(panel, label, value);
  }
  await until('the crop', async () => {
    return isDeepStrictEqual((await hostStatus(host))?.crop, crop);
  });
  const audience = await stage.chromium();
  const player = await audience.openPlayer(relay, broadcast.playToken, {
    places: [placeIn({ x: crop.x - scene.x, y: crop.y - scene.y })],
  });
  await player.waitForPicture();
  return player;
}

/** The page is out of sight and put to sleep as browsers do, and the picture goes on. */
async function unseen(stage: Stage, how: string, host: Page, player: PlayerTab): Promise<void> {
  await until('the page to be hidden', async () => !(await isVisible(host)));
  await player.waitForPicture();
  await player.resetWitness();
  const before = (await player.records()).framesShown;
  const startedMs = performance.now();
  const { visibility, animationFrames, timers } = await livelinessOf(host, HIDDEN_S);
  const seconds = (performance.now() - startedMs) / 1_000;
  const rate = ((await player.records()).framesShown - before) / seconds;
  const { largestGapMs } = await player.witness();
  stage.note(
    `${how}: page ${visibility}, ${animationFrames.toFixed(1)} animation frames and ${timers.toFixed(1)} timers a second; the viewer saw ${rate.toFixed(1)} pictures a second, largest gap ${ms(largestGapMs)}`,
  );
  assert.equal(visibility, 'hidden');
  assert.ok(animationFrames < 1, 'the page is really not drawn');
  assert.ok(timers < 2, 'the page is really throttled');
  // However busy the machine is: many more than the page was let do anything.
  assert.ok(rate > 4 * Math.max(timers, 1), 'and its picture does not care');
  assert.ok(largestGapMs < GAP_MS);
}

async function isVisible(page: Page): Promise<boolean> {
  return (await page.evaluate('document.visibilityState')) === 'visible';
}

function even(value: number): number {
  return Math.round(value / 2) * 2;
}
