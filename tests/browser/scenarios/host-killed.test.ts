import assert from 'node:assert/strict';
import { ms } from '../src/checks.ts';
import { crash } from '../src/chromium.ts';
import type { PlayerPage } from '../src/pages.ts';
import { scenario } from '../src/stage.ts';

const AWAY_MS = 1_500;

scenario('the capture window crashes, and the panel opens a new one', async (stage) => {
  const { relay, broadcast } = stage;
  const admin = await stage.chromium();
  const audience = await stage.chromium();
  const panel = await admin.openPanel(relay, broadcast.publishToken);
  const first = await panel.share();
  await first.waitUntilLive();
  const player = await audience.openPlayer(relay, broadcast.playToken);
  await player.waitForPicture();

  const killedMs = Date.now();
  await crash(first.page);
  await player.waitForState('away');
  await panel.waitForPresence('none');
  const second = await panel.share(/share/i);
  await second.waitUntilLive();
  await player.waitForPicture(0, await second.scene());
  await player.waitForState('live');
  await report(stage.note.bind(stage), player, killedMs);
  const snapshot = await stage.assertUnharmed({ player });
  assert.equal(snapshot.epoch, 2);
});

scenario("the admin's whole browser is killed, and another one takes over", async (stage) => {
  const { relay, broadcast } = stage;
  const audience = await stage.chromium();
  const admin = await stage.chromium();
  const panel = await admin.openPanel(relay, broadcast.publishToken);
  const first = await panel.share();
  await first.waitUntilLive();
  const player = await audience.openPlayer(relay, broadcast.playToken);
  const other = await audience.openPlayer(relay, broadcast.playToken);
  await player.waitForPicture();
  await other.waitForPicture();

  const killedMs = Date.now();
  await admin.kill();
  await player.waitForState('away');
  const next = await stage.chromium();
  const nextPanel = await next.openPanel(relay, broadcast.publishToken);
  const second = await nextPanel.share(/share|take over/i);
  await second.waitUntilLive();
  const scene = await second.scene();
  await player.waitForPicture(0, scene);
  await other.waitForPicture(0, scene);
  await player.waitForState('live');
  await report(stage.note.bind(stage), player, killedMs);
  const snapshot = await stage.assertUnharmed({ player, other });
  assert.equal(snapshot.epoch, 2);
});

/** What the viewer saw and was told meanwhile. */
async function report(
  note: (text: string) => void,
  player: PlayerPage,
  killedMs: number,
): Promise<void> {
  const { states, scenes, blank } = await player.witness();
  const away = states.find(({ kind }) => kind === 'away');
  const awayMs = (away?.atMs ?? Infinity) - killedMs;
  const backMs = (scenes.at(-1)?.atMs ?? Infinity) - killedMs;
  note(
    `told that the admin is away ${ms(awayMs)} after the kill, a new picture after ${ms(backMs)}, blank ${blank}; told: ${states.map(({ kind }) => kind).join(', ')}`,
  );
  assert.ok(awayMs < AWAY_MS);
  assert.equal(scenes.length, 2, 'the old one did not come back');
  assert.ok(!states.some(({ kind }) => kind === 'reconnecting'));
}
