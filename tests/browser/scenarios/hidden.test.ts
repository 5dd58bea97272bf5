import assert from 'node:assert/strict';
import { PlainChromium, type PlainHost } from '../src/plain.ts';
import { type Stage, scenario } from '../src/stage.ts';
import { pause, until } from '../src/until.ts';

/** Long enough for timers to be slowed down. */
const WATCH_MS = 5_000;
/** The source gives 30 frames per second; half of that would still be a moving picture. */
const LEAST_FPS = 15;

scenario('a host behind another tab goes on at full rate', async (stage) => {
  const browser = stage.closeLater(await PlainChromium.launch());
  const host = await browser.openHost(stage.relay, stage.broadcast.publishToken);
  await watchHidden(stage, host, async () => {
    await browser.openTab();
  });
});

scenario('a host in a minimised window goes on at full rate', async (stage) => {
  const browser = stage.closeLater(await PlainChromium.launch());
  const host = await browser.openHost(stage.relay, stage.broadcast.publishToken);
  await watchHidden(stage, host, () => host.minimise());
});

async function watchHidden(stage: Stage, host: PlainHost, hide: () => Promise<void>) {
  await host.waitUntilLive();
  const viewers = await stage.chromium();
  const player = await viewers.openPlayer(stage.relay, stage.broadcast.playToken, { places: null });
  await player.waitForState('live');
  await hide();
  await host.waitUntilHidden();
  const before = await measure(stage, host);
  const seen = await pixels(player.page);
  await pause(WATCH_MS);
  const after = await measure(stage, host);
  const fps = (after.frames - before.frames) / ((after.atMs - before.atMs) / 1_000);
  const animationFrames = after.animationFrames - before.animationFrames;
  stage.note(
    `hidden for ${WATCH_MS} ms: ${fps.toFixed(1)} frames per second at the relay, ${animationFrames} animation frames for the page`,
  );
  const status = await host.status();
  stage.note(
    `host: ${status?.rates.fpsIn} frames per second came; ${JSON.stringify(status?.limits)}`,
  );
  assert.ok(animationFrames < WATCH_MS / 1_000, 'the page really is hidden');
  assert.ok(fps > LEAST_FPS, `${fps} frames per second at the relay`);
  await until('other pixels at the player', async () => (await pixels(player.page)) !== seen);
  assert.equal((await player.state()).kind, 'live', 'nobody was told that the admin is away');
  await stage.assertUnharmed({ player });
}

async function measure(stage: Stage, host: PlainHost) {
  const { totals } = await stage.snapshot();
  const animationFrames = await host.animationFrames();
  return { atMs: performance.now(), frames: totals.framesReceived, animationFrames };
}

/** What the player shows, small. */
function pixels(page: { evaluate(expression: string): Promise<unknown> }): Promise<unknown> {
  return page.evaluate(`(() => {
    const sheet = document.createElement('canvas').getContext('2d');
    sheet.canvas.width = sheet.canvas.height = 32;
    sheet.drawImage(document.querySelector('canvas, video'), 0, 0, 32, 32);
    return sheet.getImageData(0, 0, 32, 32).data.join();
  })()`);
}
