import assert from 'node:assert/strict';
import type { Page } from 'puppeteer-core';
import { ms } from '../src/checks.ts';
import { clickOn, Desktop, hostStatus } from '../src/desktop.ts';
import { linkTo } from '../src/links.ts';
import { type Stage, scenario } from '../src/stage.ts';
import { until } from '../src/until.ts';
import { placeIn } from '../src/witness.ts';

const PANEL = { left: 0, top: 0, width: 640, height: 700 } as const;

async function share(stage: Stage, desktop: Desktop): Promise<{ panel: Page; host: Page }> {
  const { relay, broadcast } = stage;
  const panel = await desktop.openWindow(
    linkTo(relay.origin, 'admin', broadcast.publishToken),
    PANEL,
  );
  const host = await desktop.opened('/host', () => clickOn(panel, 'Share screen'));
  await desktop.pickScreen(host);
  return { panel, host };
}

scenario('on a real desktop: whoever reloads the capture window resumes', async (stage) => {
  const { relay, broadcast } = stage;
  const desktop = stage.closeLater(await Desktop.start(null));
  const { panel, host } = await share(stage, desktop);
  const beside = (await host.evaluate('({ x: screenX, width: outerWidth })')) as {
    x: number;
    width: number;
  };
  assert.ok(beside.x >= PANEL.width, 'the window is beside the panel');
  assert.ok(beside.width >= 600, 'with room for the names of tabs');

  const scene = await desktop.showScene(`${relay.origin}/`, {
    left: 0,
    top: 0,
    width: 640,
    height: 480,
  });
  const audience = await stage.chromium();
  const player = await audience.openPlayer(relay, broadcast.playToken, {
    places: [placeIn({ x: -scene.x, y: -scene.y })],
  });
  await player.waitForPicture();

  host.on('dialog', (dialog) => void dialog.accept());
  await host.reload();
  // Some browsers want a click before they ask, others ask at once.
  const asks = await until('the browser to ask, or to want a click first', async () => {
    const state = (await hostStatus(host))?.state;
    return state === 'needs-gesture' || state === 'asking' ? state : null;
  });
  await until('the panel to say so', async () => (await hostStatus(panel))?.state === asks);
  await player.waitForState('away');
  if (asks === 'needs-gesture') await clickOn(host, 'Resume');
  await desktop.pickScreen(host);
  await player.waitForPicture();
  await player.waitForState('live');
  const { largestGapMs } = await player.witness();
  stage.note(`away for ${ms(largestGapMs)}, most of it for the click and the picker`);
  const snapshot = await stage.assertUnharmed({ player });
  assert.equal(snapshot.epoch, 2, 'the same publisher goes on');
});

scenario(
  'on a real desktop: viewers see the pointer, and stopping ends the capture',
  async (stage) => {
    const { relay, broadcast } = stage;
    const desktop = stage.closeLater(await Desktop.start(null));
    const { panel } = await share(stage, desktop);
    const audience = await stage.chromium();
    const player = await audience.openPlayer(relay, broadcast.playToken, { places: null });
    await player.waitForState('live');
    // In a corner beside all windows, where nothing changes but by the pointer.
    const isBlank = async () => {
      const shades = await player.partAt({ x: 0, y: 704 }, 8);
      return shades !== null && new Set(shades).size === 1;
    };
    await until('nothing but the ground', isBlank);
    await desktop.point(1, 706);
    await until('the pointer', async () => !(await isBlank()));

    // The browser shows for as long as it captures.
    const isShown = async () => {
      return (await desktop.titles()).some((title) => title.endsWith('is sharing your screen.'));
    };
    assert.ok(await isShown());
    await clickOn(panel, 'Stop sharing');
    await until('the browser to capture no more', async () => !(await isShown()));
  },
);
