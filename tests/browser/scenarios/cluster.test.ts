import assert from 'node:assert/strict';
import { assertUnharmed, ms } from '../src/checks.ts';
import type { PlayerTab } from '../src/chromium.ts';
import { type Cast, clusterScenario, knows } from '../src/cluster.ts';
import type { Relay } from '../src/relay.ts';
import type { WebTransportFate } from '../src/transports.ts';
import { pause, until } from '../src/until.ts';

/** The promise is 2 s, and the notes say what it was; this also runs beside a compiler. */
const ELSEWHERE_MS = 6_000;
/** A session that moves while both relays are there shows the picture all along. */
const GAP_MS = 2_000;
/** Others are asked for what a session there takes after the first two seconds of a picture. */
const SETTLED_MS = 3_500;

const CARRIERS: [string, WebTransportFate][] = [
  ['WebTransport', 'alone'],
  ['WebRTC', 'none'],
  ['WebSocket', 'tcp'],
];

/** A player that has watched for a while at the first of the two. */
async function watching(
  { stage, broadcast, edges: [first] }: Cast,
  webTransport: WebTransportFate,
): Promise<PlayerTab> {
  const admin = await stage.chromium();
  const host = await admin.openHost(stage.relay, broadcast.publishToken);
  await host.waitUntilLive();
  const player = await admin.openPlayer(first, broadcast.playToken, { webTransport });
  await player.waitForPicture();
  await pause(SETTLED_MS);
  await player.resetWitness();
  return player;
}

/** How long it takes from now until the picture goes on: the longest time that it stood still. */
async function backAfter(player: PlayerTab, { broadcast }: Cast, others: Relay[]): Promise<number> {
  await until('the player at another relay', async () => {
    const there = await Promise.all(
      others.map((relay) => relay.snapshot(broadcast.id).catch(() => null)),
    );
    return there.some((snapshot) => (snapshot?.players ?? 0) > 0);
  });
  await player.waitForState('live');
  const seen = (await player.witness()).newest?.atMs ?? 0;
  await until(
    'the picture to go on',
    async () => ((await player.witness()).newest?.atMs ?? 0) > seen + 500,
  );
  return (await player.witness()).largestGapMs;
}

/** One session at each of two relays; whether the first was known to be lost when it was left is a matter of chance. */
async function assertMoved({ stage }: Cast, player: PlayerTab): Promise<void> {
  const { sessionsClosed } = await player.records();
  assert.ok(sessionsClosed <= 1, `${sessionsClosed} sessions were lost`);
  stage.note(await assertUnharmed('player', player, 2, sessionsClosed));
}

for (const [name, fate] of CARRIERS) {
  clusterScenario(`a relay is killed, and its player is at another one: ${name}`, async (cast) => {
    const { stage, edges } = cast;
    const player = await watching(cast, fate);
    await edges[0].stop('SIGKILL');
    const gapMs = await backAfter(player, cast, [stage.relay, edges[1]]);
    stage.note(`${name}: the picture stood still for ${ms(gapMs)}`);
    assert.ok(gapMs < ELSEWHERE_MS, `${ms(gapMs)} without a new picture`);
    await assertMoved(cast, player);
    // Its own relay is back: the player stays where it is.
    await edges[0].startAgain();
    await pause(SETTLED_MS);
    await assertMoved(cast, player);
  });

  clusterScenario(`a relay leaves, and hands its player over: ${name}`, async (cast) => {
    const { stage, edges } = cast;
    const player = await watching(cast, fate);
    const left = edges[0].stop('SIGTERM', 20_000);
    const gapMs = await backAfter(player, cast, [stage.relay, edges[1]]);
    const began = performance.now();
    await left;
    stage.note(
      `${name}: largest gap ${ms(gapMs)}; gone ${ms(performance.now() - began)} after that`,
    );
    assert.ok(gapMs < GAP_MS, `${ms(gapMs)} without a new picture`);
    // It has left a session that was open.
    stage.note(await assertUnharmed('player', player, 2, 0));
  });
}

for (const [what, signal] of [
  ['is killed', 'SIGKILL'],
  ['leaves', 'SIGTERM'],
] as const) {
  clusterScenario(`the publisher's relay ${what}: it publishes at another one`, async (cast) => {
    const { stage } = cast;
    const player = await watching(cast, 'alone');
    await stage.relay.stop(signal, 20_000);
    const seen = (await player.witness()).newest?.atMs ?? 0;
    await until('the picture to go on', async () => {
      return ((await player.witness()).newest?.atMs ?? 0) > seen + 1_000;
    });
    const { largestGapMs } = await player.witness();
    stage.note(`the picture stood still for ${ms(largestGapMs)}`);
    assert.ok(largestGapMs < ELSEWHERE_MS, `${ms(largestGapMs)} without a new picture`);
    stage.note(await assertUnharmed('player', player));
  });
}

clusterScenario('relays are upgraded one after another, and nobody notices', async (cast) => {
  const { stage, broadcast, edges } = cast;
  const admin = await stage.chromium();
  const host = await admin.openHost(stage.relay, broadcast.publishToken);
  await host.waitUntilLive();
  const players: [string, PlayerTab][] = [];
  for (const [name, webTransport] of CARRIERS) {
    const player = await admin.openPlayer(edges[0], broadcast.playToken, { webTransport });
    await player.waitForPicture();
    players.push([name, player]);
  }
  await pause(SETTLED_MS);
  for (const [, player] of players) await player.resetWitness();
  for (const relay of [edges[0], stage.relay, edges[1]]) {
    await relay.stop('SIGTERM', 20_000);
    await relay.startAgain();
    await until('it to be ready', async () => (await fetch(`${relay.origin}/ready`)).ok);
    await until('it to know the others', () => knows(relay, 2));
    await pause(SETTLED_MS);
  }
  for (const [name, player] of players) {
    await player.waitForState('live');
    const { largestGapMs } = await player.witness();
    assert.ok(largestGapMs < GAP_MS, `${name}: ${ms(largestGapMs)} without a new picture`);
    // It has left each session that it had while that was open.
    const { sessionsOpened } = await player.records();
    assert.ok(sessionsOpened > 1, `${name}: it was nowhere else`);
    stage.note(await assertUnharmed(name, player, sessionsOpened, 0));
  }
});

clusterScenario('a relay stands still, and its player is at another one', async (cast) => {
  const { stage, edges } = cast;
  const player = await watching(cast, 'works');
  edges[0].standStill();
  const gapMs = await backAfter(player, cast, [stage.relay, edges[1]]);
  stage.note(`the picture stood still for ${ms(gapMs)}`);
  assert.ok(gapMs < ELSEWHERE_MS, `${ms(gapMs)} without a new picture`);
  edges[0].goOn();
  await pause(SETTLED_MS);
  await assertMoved(cast, player);
});

clusterScenario(
  'a relay that is full sends a player on',
  async (cast) => {
    const { stage, broadcast, edges } = cast;
    const admin = await stage.chromium();
    const host = await admin.openHost(stage.relay, broadcast.publishToken);
    await host.waitUntilLive();
    const first = await admin.openPlayer(edges[0], broadcast.playToken, { webTransport: 'alone' });
    await first.waitForPicture();
    const second = await admin.openPlayer(edges[0], broadcast.playToken, { webTransport: 'alone' });
    await second.waitForPicture();
    const { firstPictureMs } = await second.records();
    stage.note(`the first picture of who was sent on after ${ms(firstPictureMs ?? NaN)}`);
    stage.note(await assertUnharmed('first', first));
    stage.note(await assertUnharmed('second', second));
  },
  ['--limits-players-per-broadcast', '1'],
);
