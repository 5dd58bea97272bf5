import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { App } from '../src/app.ts';
import type { Chromium } from '../src/chromium.ts';
import { PlayerPage } from '../src/pages.ts';
import { sceneScript } from '../src/scene.ts';
import { NAME_SHIM } from '../src/script.ts';
import { type Stage, scenario } from '../src/stage.ts';
import { doom, peerStates, type WebTransportFate } from '../src/transports.ts';
import { until } from '../src/until.ts';
import { UNCROPPED, witnessScript } from '../src/witness.ts';

const APP = 'tests/peer-to-peer-app';

/** The admin's page of the app, logged in; the scene lies over every page that captures itself. */
async function openAdmin(stage: Stage, app: App): Promise<Page> {
  const { context } = await stage.chromium();
  // With a device of its own a page tells its addresses to peers, and needs no multicast.
  await context.grantPermissions(['camera'], { origin: app.origin });
  for (const path of ['/admin', '/capture']) {
    await context.addInitScript({ content: sceneScript({}, path) });
  }
  const page = await context.newPage();
  await page.goto(`${app.origin}/admin?room=table-1`);
  await page.getByLabel('Password').fill('game night');
  await page.getByRole('button', { name: 'Log in' }).click();
  return page;
}

class Viewer extends PlayerPage {
  readonly page: Page;

  private constructor(page: Page) {
    super(page);
    this.page = page;
  }

  /** In a window of its own: of a tab beneath another one the browser shows no video. */
  static async open({ browser }: Chromium, app: App, fate: WebTransportFate): Promise<Viewer> {
    const context = await browser.newContext({ viewport: { width: 640, height: 360 } });
    await context.grantPermissions(['camera'], { origin: app.origin });
    await context.addInitScript({ content: NAME_SHIM });
    const page = await context.newPage();
    await doom(page, fate);
    await page.addInitScript({ content: witnessScript([UNCROPPED], 30, '/watch') });
    await page.goto(`${app.origin}/watch?room=table-1`);
    return new Viewer(page);
  }
}

async function shareOldWay(admin: Page): Promise<void> {
  await admin.getByRole('button', { name: 'Choose screen' }).click();
  await admin.getByRole('button', { name: 'Start Stream to Players' }).click();
}

scenario('before: the picture dies when the admin looks at another tab', async (stage) => {
  const app = stage.closeLater(await App.copyOf(APP));
  await app.build();
  await app.serve();
  const admin = await openAdmin(stage, app);
  const viewer = await Viewer.open(await stage.chromium(), app, 'works');
  await shareOldWay(admin);
  await viewer.waitForPicture();
  assert.deepEqual(await peerStates(viewer.page), ['connected']);
  await viewer.resetWitness();
  await admin.getByRole('button', { name: 'Notes' }).click();
  await until('the connection to be lost', async () => {
    const [state] = await peerStates(viewer.page);
    return state !== 'connected';
  });
  await admin.getByRole('button', { name: 'Stream', exact: true }).click();
  await shareOldWay(admin);
  await viewer.waitForPicture();
  const { largestGapMs } = await viewer.witness();
  assert.ok(largestGapMs > 1_000, `the picture stood still for ${largestGapMs} ms`);
  stage.note(`the picture stood still for ${largestGapMs} ms`);
});
