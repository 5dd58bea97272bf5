import assert from 'node:assert/strict';
import { assertUnharmed, ms } from '../src/checks.ts';
import { type Stage, scenario } from '../src/stage.ts';

scenario('the relay stops and starts again', (stage) => restart(stage, 'SIGTERM'));
scenario('the relay is killed and started again', (stage) => restart(stage, 'SIGKILL'), {
  alsoPrivately: 'websocket',
});

async function restart(stage: Stage, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  const { relay, broadcast } = stage;
  const admin = await stage.chromium();
  const panel = await admin.openPanel(relay, broadcast.publishToken);
  const host = await panel.share();
  await host.waitUntilLive();
  const scene = await host.scene();
  const player = await admin.openPlayer(relay, broadcast.playToken);
  const other = await admin.openPlayer(relay, broadcast.playToken);
  await player.waitForPicture();
  await other.waitForPicture();

  const stoppedMs = Date.now();
  await relay.stop(signal);
  await player.waitForState('reconnecting');
  await host.waitFor('reconnecting', ({ state }) => state === 'reconnecting');
  await relay.startAgain();
  const startedMs = Date.now();
  const look = await player.waitForPicture(startedMs, scene);
  await other.waitForPicture(startedMs, scene);
  await player.waitForState('live');
  await panel.waitForState('live');
  const { states } = await player.witness();
  const toldMs = (states.find(({ kind }) => kind === 'reconnecting')?.atMs ?? 0) - stoppedMs;
  stage.note(
    `told ${ms(toldMs)} after the stop; down for ${ms(startedMs - stoppedMs)}; a new picture ${ms(look.atMs - startedMs)} after it was back; told: ${states.map(({ kind }) => kind).join(', ')}`,
  );
  // Here, and only here, sessions end: the one that the old relay had.
  for (const [name, page] of Object.entries({ player, other })) {
    stage.note(await assertUnharmed(name, page, 2));
  }
  const snapshot = await stage.snapshot();
  assert.equal(snapshot.players, 2 + stage.bystanders, 'everybody is back');
  assert.deepEqual(snapshot.totals.playersLeft, {}, 'nobody left the new relay');
  assert.equal(snapshot.totals.publishersJoined, 1, 'the host came back once');
  const status = await host.status();
  assert.equal(status?.counts.sessionsOpened, 2);
}

scenario(
  'the relay is killed twice within a minute, which nobody’s way to it is blamed for',
  async (stage) => {
    const { relay, broadcast } = stage;
    const admin = await stage.chromium();
    const host = await admin.openHost(relay, broadcast.publishToken);
    await host.waitUntilLive();
    const player = await admin.openPlayer(relay, broadcast.playToken);
    await player.waitForPicture();
    for (const sessions of [2, 3]) {
      await relay.stop('SIGKILL');
      // Back before anybody misses it.
      await relay.startAgain();
      await host.waitFor('back', ({ state, counts }) => {
        return state === 'live' && counts.sessionsOpened === sessions;
      });
      await player.waitForPicture(Date.now());
      await player.waitForState('live');
      assert.equal((await host.status())?.carrier, stage.carrier);
      assert.equal(await player.transport(), stage.carrier);
    }
    stage.note(await assertUnharmed('player', player, 3));
  },
);
