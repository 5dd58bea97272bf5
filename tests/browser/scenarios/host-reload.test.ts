import assert from 'node:assert/strict';
import { ms } from '../src/checks.ts';
import { scenario } from '../src/stage.ts';
import { until } from '../src/until.ts';
import { placeIn, UNCROPPED } from '../src/witness.ts';

/** What the viewer is promised; reloading itself takes a part of it. */
const AWAY_MS = 1_000;
/** One frame interval and a round trip, with room for a machine that compiles as well. */
const RESUME_MS = 500;

scenario('a reloaded host resumes by itself, on the same sessions', async (stage) => {
  const { relay, broadcast } = stage;
  const crop = { x: 32, y: 32, width: 384, height: 216 };
  const places = [placeIn(crop), UNCROPPED];
  const admin = await stage.chromium();
  const panel = await admin.openPanel(relay, broadcast.publishToken);
  const host = await panel.shareAt({ width: 640, height: 360 });
  await host.waitUntilLive();
  await panel.crop(crop);
  const player = await admin.openPlayer(relay, broadcast.playToken, { places });
  const other = await admin.openPlayer(relay, broadcast.playToken, { places });
  await until('the crop', async () => (await player.records()).picture?.width === crop.width);
  await player.waitForPicture();

  for (const round of [1, 2, 3]) {
    const sceneBefore = await host.scene();
    const startedMs = Date.now();
    await host.page.reload();
    await host.waitUntilLive();
    const scene = await host.scene();
    assert.notEqual(scene, sceneBefore, 'another document draws now');
    await player.waitForPicture(0, scene);
    await player.waitForState('live');
    const { totals } = await stage.snapshot();
    const { scenes, states } = await player.witness();
    const first = scenes.find((look) => look.scene === scene);
    const away = states.findLast(({ kind }) => kind === 'away');
    const awayMs = (away?.atMs ?? Infinity) - startedMs;
    const resumedMs = (first?.atMs ?? Infinity) - totals.newestKeyframeUs / 1_000;
    stage.note(
      `reload ${round}: away ${ms(awayMs)} and moving again ${ms((first?.atMs ?? Infinity) - startedMs)} after the key, ${ms(resumedMs)} after the relay had the keyframe`,
    );
    assert.ok(awayMs < AWAY_MS, 'the viewer is told in time');
    assert.ok(resumedMs < RESUME_MS, 'the picture goes on with the keyframe');
    const { picture } = await player.records();
    assert.deepEqual([picture?.width, picture?.height], [crop.width, crop.height], 'same crop');
  }
  await other.waitForPicture(0, await host.scene());
  const { states, scenes } = await player.witness();
  assert.equal(scenes.length, 4, 'every document was seen, and none came back');
  stage.note(`the viewer was told: ${states.map(({ kind }) => kind).join(', ')}`);
  assert.ok(!states.some(({ kind }) => kind === 'reconnecting'));
  const snapshot = await stage.assertUnharmed({ player, other });
  assert.equal(snapshot.epoch, 4, 'an epoch for every document');
});
