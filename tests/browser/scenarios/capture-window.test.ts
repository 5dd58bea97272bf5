import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { HostPage, type PanelPage } from '../src/pages.ts';
import { scenario } from '../src/stage.ts';
import { until } from '../src/until.ts';
import { UNCROPPED } from '../src/witness.ts';

/** Has the browser open no window for this page until `allowWindows()`. */
function blockWindows(): void {
  const open = window.open.bind(window);
  window.open = () => null;
  Object.assign(window, {
    allowWindows: () => {
      window.open = open;
    },
  });
}

/** Has the picker be closed without a choice, once for each tab. */
function cancelOnce(): void {
  const { mediaDevices } = navigator;
  const ask = mediaDevices.getDisplayMedia.bind(mediaDevices);
  let cancelled = false;
  mediaDevices.getDisplayMedia = async (options) => {
    if (cancelled || location.pathname !== '/host' || localStorage.getItem('cancelled')) {
      return ask(options);
    }
    cancelled = true;
    localStorage.setItem('cancelled', 'yes');
    // Nobody closes a picker at once.
    await new Promise((done) => setTimeout(done, 400));
    throw new DOMException('Permission denied', 'NotAllowedError');
  };
}

/** Counts what keeps the screen lit. */
function countLocks(): void {
  const held = new Set<object>();
  const request = async () => {
    const lock = {
      released: false,
      release: async () => {
        lock.released = true;
        held.delete(lock);
      },
    };
    held.add(lock);
    return lock;
  };
  Object.defineProperty(navigator, 'wakeLock', { value: { request } });
  Object.assign(window, { locksHeld: () => held.size });
}

const locksOf = (page: Page) => page.evaluate('window.locksHeld()') as Promise<number>;

/** Tries to close a page as its own cross does; whether the browser asked first, and was told not to. */
async function isAskedToStay(page: Page): Promise<boolean> {
  const asked = page.waitForEvent('dialog', { timeout: 5_000 }).then(
    async (dialog) => {
      assert.equal(dialog.type(), 'beforeunload');
      await dialog.dismiss();
      return true;
    },
    () => false,
  );
  const gone = page.waitForEvent('close').then(
    () => false,
    () => false,
  );
  await page.close({ runBeforeUnload: true });
  return Promise.race([asked, gone]);
}

/** Browsers ask only in a page that somebody has touched. */
async function touch(page: Page): Promise<void> {
  await page.locator('body').click({ position: { x: 4, y: 4 } });
}

scenario('a capture window that shares asks before it is closed, and no other', async (stage) => {
  const { relay, broadcast } = stage;
  const admin = await stage.chromium();
  await admin.context.addInitScript(countLocks);
  const panel = await admin.openPanel(relay, broadcast.publishToken);
  const host = await panel.share();
  await host.waitUntilLive();
  assert.deepEqual([await locksOf(host.page), await locksOf(panel.page)], [1, 1], 'kept awake');
  await touch(host.page);
  assert.ok(await isAskedToStay(host.page));
  await host.waitUntilLive();
  // The panel shares nothing itself, and may go.
  await touch(panel.page);
  assert.equal(await isAskedToStay(panel.page), false);

  const next = await admin.openPanel(relay, broadcast.publishToken);
  await next.waitForState('live');
  const gone = host.page.waitForEvent('close');
  await next.page.getByRole('button', { name: 'Stop sharing' }).click();
  await gone;
  await next.waitForPresence('none');
  assert.equal(await locksOf(next.page), 0, 'nothing keeps the screen lit any more');
});

scenario('another try opens a window that is seen, in place of the first', async (stage) => {
  const { relay, broadcast } = stage;
  const admin = await stage.chromium();
  await admin.context.addInitScript(cancelOnce);
  const panel = await admin.openPanel(relay, broadcast.publishToken);
  const first = await panel.share('Choose a part first');
  await panel.waitForState('cancelled');
  const gone = first.page.waitForEvent('close');
  // Neither a reload nor another try makes it more than it was to be.
  await panel.page.reload();
  await panel.waitForState('cancelled');
  const second = await panel.share('Try again');
  await gone;
  await second.waitFor('in standby', ({ state }) => state === 'standby');
  await panel.waitForState('standby');
  assert.equal((await stage.snapshot()).totals.publishersJoined, 0);
  await panel.page.getByRole('button', { name: 'Go live' }).click();
  await second.waitUntilLive();
});

scenario('without windows the panel captures, says so, and can be left', async (stage) => {
  const { relay, broadcast } = stage;
  const admin = await stage.chromium({ viewport: { width: 1280, height: 900 } });
  await admin.context.addInitScript(blockWindows);
  await admin.context.addInitScript(countLocks);
  const panel = await admin.openPanel(relay, broadcast.publishToken);
  const { page } = panel;
  await panel.clickShare('Share screen');
  await panel.waitForState('live');
  await page.getByText('This page itself is sharing').waitFor();
  const player = await admin.openPlayer(relay, broadcast.playToken, { places: [UNCROPPED] });
  await player.waitForState('live');
  await page.bringToFront();
  await touch(page);
  assert.ok(await isAskedToStay(page), 'a reload or a close would end the capture');
  await panel.waitForState('live');

  const asked = page.waitForEvent('dialog');
  const left = page.getByRole('button', { name: 'All broadcasts' }).click();
  const dialog = await asked;
  assert.equal(dialog.type(), 'confirm');
  await dialog.dismiss();
  await left;
  await panel.waitForState('live');

  await page.getByRole('button', { name: 'Move to a window of its own' }).click();
  await page.getByText('The browser opens no window still').waitFor();
  await page.evaluate('window.allowWindows()');
  const host = await moveOut(panel);
  await host.waitUntilLive();
  await until('the panel to capture no more', async () => {
    const status = await panel.status();
    return status?.state === 'live' && !status.inside;
  });
  assert.equal(await page.getByText('This page itself is sharing').count(), 0);
  await player.waitForPicture(Date.now(), await host.scene());

  // From here on the panel may go and come as it likes.
  await page.reload();
  await panel.waitForState('live');
  await stage.assertUnharmed({ player });
  const { states } = await player.witness();
  assert.ok(!states.some(({ kind }) => kind === 'paused' || kind === 'reconnecting'));
});

async function moveOut({ page }: PanelPage): Promise<HostPage> {
  const opened = page.context().waitForEvent('page');
  await page.getByRole('button', { name: 'Move to a window of its own' }).click();
  return new HostPage(await opened);
}
