import assert from 'node:assert/strict';
import { PlainChromium, type PlainHost } from '../src/plain.ts';
import { type Stage, scenario } from '../src/stage.ts';
import { pause, until } from '../src/until.ts';

/** Long enough for timers to be slowed down. */
const WATCH_MS = 5_000;
/** The source gives 30 frames per second; half of that would still be a moving picture. */
const LEAST_FPS = 15;
/** Of the beeps that the browser makes up, 14 frames a second are sound, and the others silence, which is not sent. */
const LEAST_SOUND = 8;

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
  // One in which players are heard without a click.
  const viewers = await stage.chromium({ sound: 'real' });
  const player = await viewers.openPlayer(stage.relay, stage.broadcast.playToken, { places: null });
  await player.waitForState('live');
  await until('sound at the player', async () => ((await host.status())?.sound.sent ?? 0) > 0);
  await hide();
  await host.waitUntilHidden();
  const before = await measure(stage, host);
  const seen = await pixels(player.page);
  await pause(WATCH_MS);
  const after = await measure(stage, host);
  const seconds = (after.atMs - before.atMs) / 1_000;
  const fps = (after.frames - before.frames) / seconds;
  const sounds = (after.sounds - before.sounds) / seconds;
  const animationFrames = after.animationFrames - before.animationFrames;
  stage.note(
    `hidden for ${WATCH_MS} ms: ${fps.toFixed(1)} frames per second at the relay, ${sounds.toFixed(1)} of sound, ${animationFrames} animation frames for the page`,
  );
  const status = await host.status();
  stage.note(
    `host: ${status?.rates.fpsIn} frames per second came; ${JSON.stringify(status?.limits)}`,
  );
  assert.ok(animationFrames < WATCH_MS / 1_000, 'the page really is hidden');
  assert.ok(fps > LEAST_FPS, `${fps} frames per second at the relay`);
  assert.ok(sounds > LEAST_SOUND, `${sounds} frames of sound per second`);
  await until('other pixels at the player', async () => (await pixels(player.page)) !== seen);
  assert.equal((await player.state()).kind, 'live', 'nobody was told that the admin is away');
  await stage.assertUnharmed({ player });
}

async function measure(stage: Stage, host: PlainHost) {
  const { totals } = await stage.snapshot();
  const animationFrames = await host.animationFrames();
  const sounds = (await host.status())?.sound.sent ?? 0;
  return { atMs: performance.now(), frames: totals.framesReceived, sounds, animationFrames };
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
