import assert from 'node:assert/strict';
import type { Chromium } from '../src/chromium.ts';
import { scenario } from '../src/stage.ts';
import { until } from '../src/until.ts';

/** Longer than sessions outlive silence. */
const ASLEEP_MS = 30_000;

/** Stops every process of a browser, as a machine does that is put to sleep; returns what wakes it. */
async function putToSleep(browser: Chromium): Promise<() => void> {
  const ids = (await browser.processes()).map(({ id }) => id);
  const tell = (signal: NodeJS.Signals) => {
    for (const id of ids) process.kill(id, signal);
  };
  tell('SIGSTOP');
  return () => tell('SIGCONT');
}

scenario('host and viewers come back by themselves from a sleep of 30 s', async (stage) => {
  const { relay, broadcast } = stage;
  const admin = await stage.chromium();
  const audience = await stage.chromium();
  const panel = await admin.openPanel(relay, broadcast.publishToken);
  const host = await panel.share();
  await host.waitUntilLive();
  const direct = await audience.openPlayer(relay, broadcast.playToken);
  const bridged = await audience.openPlayer(relay, broadcast.playToken, { webTransport: 'none' });
  for (const player of [direct, bridged]) await player.waitForPicture();

  for (const [who, asleep] of [
    ['host', [admin]],
    ['all', [admin, audience]],
  ] as const) {
    const wakers = await Promise.all(asleep.map(putToSleep));
    const wake = () => {
      for (const waker of wakers) waker();
    };
    try {
      await new Promise((passed) => setTimeout(passed, ASLEEP_MS));
      assert.equal((await stage.snapshot()).phase, 'held');
    } finally {
      wake();
    }
    const wokenMs = Date.now();
    for (const player of [direct, bridged]) {
      await player.waitForPicture(wokenMs);
      await player.waitForState('live');
    }
    await panel.waitForState('live');
    stage.note(`${who} asleep: pictures again ${Date.now() - wokenMs} ms after waking`);
  }
  await until('the capture window to be live', async () => (await host.status())?.state === 'live');
});
