import assert from 'node:assert/strict';
import { ms } from '../src/checks.ts';
import { scenario } from '../src/stage.ts';
import { until } from '../src/until.ts';

/** Five hundred pictures: 17 s at full rate, and longer beside a compiler. */
const GROUP_MS = 60_000;
const GAP_MS = 1_000;
/** Into the next group: by then it is what everybody watches. */
const FRAMES_ON = 10;

scenario('a picture that moves for longer than a group goes on into the next', async (stage) => {
  const { relay, broadcast } = stage;
  const admin = await stage.chromium();
  const host = await admin.openHost(relay, broadcast.publishToken);
  const panel = await admin.openPanel(relay, broadcast.publishToken);
  await host.waitUntilLive();
  await panel.waitForState('live');
  // The one that costs the least: the group is to end for its length, not for the machine.
  await panel.choose('Codec', 'h264');
  await host.waitFor('sending H.264', ({ picture }) => picture?.codec.startsWith('avc1') === true);
  const audience = await stage.chromium();
  const players = {
    webtransport: await audience.openPlayer(relay, broadcast.playToken, { apart: true }),
    whep: await audience.openPlayer(relay, broadcast.playToken, {
      apart: true,
      webTransport: 'none',
    }),
  };
  for (const player of Object.values(players)) await player.waitForPicture();
  // Joins may have asked for a keyframe, since the group was long by then; their pictures came with it,
  // and what the host says from these frames on is of the time after.
  const { framesReceived } = (await stage.snapshot()).totals;
  const { group, counts } = await host.waitFor(
    'at it',
    ({ motion, counts: { framesSent } }) => motion === 'moving' && framesSent >= framesReceived,
  );
  for (const player of Object.values(players)) await player.resetWitness();
  const startedMs = performance.now();
  const next = await until(
    'the next group',
    async () => {
      const status = await host.status();
      const sent = (status?.counts.framesSent ?? 0) - counts.framesSent;
      return status !== null && status.group > group ? { status, sent } : null;
    },
    { withinMs: GROUP_MS },
  );
  const tookMs = performance.now() - startedMs;
  assert.equal(next.status.counts.keyframeRequests, counts.keyframeRequests, 'nobody asked for it');
  await host.waitFor('well into it', ({ counts: { framesSent } }) => {
    return framesSent >= next.status.counts.framesSent + FRAMES_ON;
  });
  for (const [name, player] of Object.entries(players)) {
    await player.waitForPicture();
    const { largestGapMs } = await player.witness();
    stage.note(
      `${name}: group ${group} ended after ${next.sent} more frames and ${ms(tookMs)}, largest gap ${ms(largestGapMs)}`,
    );
    assert.ok(largestGapMs < GAP_MS, `${name}: a still of ${ms(largestGapMs)}`);
  }
  const snapshot = await stage.assertUnharmed(players);
  assert.equal(snapshot.totals.publishersJoined, 1);
});
