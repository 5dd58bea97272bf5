import assert from 'node:assert/strict';
import { ms } from '../src/checks.ts';
import type { Chromium, PlayerTab } from '../src/chromium.ts';
import type { PlayerPage } from '../src/pages.ts';
import { type Stage, scenario } from '../src/stage.ts';
import { pause, until } from '../src/until.ts';

const PLAYERS = 12;
const STALL_MS = 6_000;
/** For everybody else while one is stalled, on a machine that decodes for all of them. */
const GAP_MS = 1_500;

scenario('a dozen players, one of which is stalled', async (stage) => {
  const { relay, broadcast } = stage;
  const admin = await stage.chromium({ viewport: { width: 480, height: 270 } });
  const host = await admin.openHost(relay, broadcast.publishToken);
  await host.waitUntilLive();
  const panel = await admin.openPanel(relay, broadcast.publishToken);
  await panel.waitForState('live');
  // A dozen decoders share two cores here.
  await panel.choose('Frame rate', 15);
  await panel.choose('Codec', 'vp8');
  const audience = await closestToLive(stage);
  const players: Record<string, PlayerTab> = {};
  for (let number = 1; number < PLAYERS; number += 1) {
    // Two are watched from outside; the others by their own records.
    const options = { webTransport: 'alone', ...(number > 2 && { places: null }) } as const;
    players[`player ${number}`] = await audience.openPlayer(relay, broadcast.playToken, options);
  }
  const elsewhere = await closestToLive(stage);
  const stalled = await elsewhere.openPlayer(relay, broadcast.playToken, { webTransport: 'alone' });
  await stalled.waitForPicture();
  const healthy = Object.values(players);
  await Promise.all(healthy.map((player) => untilShown(player, 30)));
  await healthy[0]?.resetWitness();
  await healthy[1]?.resetWitness();
  const before = await shownBy(healthy);

  const frozen = await freezePages(elsewhere);
  const stalledMs = Date.now();
  frozen.stop();
  await pause(STALL_MS);
  const during = await shownBy(healthy);
  const gaps = await Promise.all(
    healthy.slice(0, 2).map(async (player) => (await player.witness()).largestGapMs),
  );
  frozen.go();
  const goneMs = Date.now() - stalledMs;
  const look = await stalled.waitForPicture();
  const after = await stalled.records();

  const least = Math.min(...during.map((shown, at) => shown - (before[at] ?? 0)));
  const rate = (least * 1_000) / goneMs;
  stage.note(
    `stalled for ${ms(goneMs)}; meanwhile the slowest of the others showed ${rate.toFixed(1)} pictures a second, largest gap ${ms(Math.max(...gaps))}`,
  );
  stage.note(
    `the stalled one saw a new picture ${ms(look.atMs - stalledMs - goneMs)} after it woke, ${ms(look.ageMs)} old; skips ${after.skips}, sessions closed ${after.sessionsClosed}`,
  );
  assert.ok(Math.max(...gaps) < GAP_MS, 'nobody else notices');
  assert.ok(rate > 5, 'nobody else notices');
  // Its delay does not stay.
  const settled = await until('the delay to be gone', async () => {
    const { agesMs } = await stalled.witness();
    const newest = agesMs.slice(-5);
    return newest.length === 5 && Math.max(...newest) < 500 ? newest : null;
  });
  stage.note(`its newest pictures are ${settled.join(', ')} ms old`);
  const everybody = { ...players, stalled };
  const snapshot = await stage.assertUnharmed(everybody);
  assert.equal(snapshot.players, PLAYERS);
});

scenario("a player's whole browser sleeps and wakes", sleepAndWake, {
  // So little that six seconds of this picture are more.
  relay: ['--limits-player-send-window=65536'],
});

async function sleepAndWake(stage: Stage): Promise<void> {
  const { relay, broadcast } = stage;
  const admin = await stage.chromium({ scene: { noise: 120 } });
  const host = await admin.openHost(relay, broadcast.publishToken);
  await host.waitUntilLive();
  const awake = await admin.openPlayer(relay, broadcast.playToken);
  const elsewhere = await stage.chromium();
  const sleeper = await elsewhere.openPlayer(relay, broadcast.playToken);
  await sleeper.waitForPicture();
  await awake.waitForPicture();
  await awake.resetWitness();

  const sleep = await freezeAll(elsewhere);
  const startedMs = Date.now();
  sleep.stop();
  await pause(STALL_MS);
  sleep.go();
  const wokeMs = Date.now();
  const look = await sleeper.waitForPicture(wokeMs);
  const { largestGapMs } = await awake.witness();
  const { totals } = await stage.snapshot();
  const { skips, framesReceived } = await sleeper.records();
  stage.note(
    `slept for ${ms(wokeMs - startedMs)}, saw a new picture ${ms(look.atMs - wokeMs)} after it woke; ${framesReceived} of ${totals.framesReceived} frames reached it, skips ${skips} (relay ${totals.skips}); the other's largest gap ${ms(largestGapMs)}`,
  );
  assert.ok(largestGapMs < GAP_MS, 'nobody else notices');
  assert.ok(totals.skips > 0, 'it is skipped to the newest keyframe, not sent all of it');
  await stage.assertUnharmed({ awake, sleeper });
}

/** A machine this busy is late at random, and is not to hold pictures back for that. */
async function closestToLive(stage: Stage): Promise<Chromium> {
  const chromium = await stage.chromium();
  const content = "localStorage.setItem('steadycast-playout', 'live')";
  await chromium.context.addInitScript({ content });
  return chromium;
}

async function untilShown(player: PlayerPage, frames: number): Promise<void> {
  await until(`${frames} pictures`, async () => (await player.records()).framesShown >= frames);
}

function shownBy(players: readonly PlayerPage[]): Promise<number[]> {
  return Promise.all(players.map(async (player) => (await player.records()).framesShown));
}

/** Stops the processes of all pages of a browser, and lets them go on. */
async function freezePages(chromium: Chromium) {
  return freeze((await chromium.processes()).filter(({ type }) => type === 'renderer'));
}

/** Stops all processes of a browser, its network too. */
async function freezeAll(chromium: Chromium) {
  return freeze(await chromium.processes());
}

function freeze(processes: readonly { id: number }[]) {
  const send = (signal: NodeJS.Signals) => () => {
    for (const { id } of processes) process.kill(id, signal);
  };
  return { stop: send('SIGSTOP'), go: send('SIGCONT') };
}
