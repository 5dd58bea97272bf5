import assert from 'node:assert/strict';
import { assertUnharmed, ms } from '../src/checks.ts';
import { crash } from '../src/chromium.ts';
import { scenario } from '../src/stage.ts';
import { peerStates, swallowFrames } from '../src/transports.ts';
import { until } from '../src/until.ts';

/** Far above the promise of 500 ms, which the benchmark measures: this also runs beside a compiler. */
const FIRST_PICTURE_MS = 3_000;
const WHEP = { webTransport: 'none' } as const;

/** Those of about eight seconds. */
const OUT_OF_SIGHT_FRAMES = 200;

scenario('without WebTransport a player joins over WebRTC, to the pixel', async (stage) => {
  const { relay, broadcast } = stage;
  const admin = await stage.chromium();
  const host = await admin.openHost(relay, broadcast.publishToken);
  await host.waitUntilLive();
  const early = await admin.openPlayer(relay, broadcast.playToken, WHEP);
  await early.waitForPicture();
  assert.equal(await early.transport(), 'whep');
  await until('its latency', async () => (await early.records()).latencyMs);
  const { latencyP50Ms, picture } = await early.records();

  await host.setScene({ moving: false });
  await early.waitForState('static');
  await host.waitFor('at rest', ({ motion }) => motion === 'still');
  const late = await admin.openPlayer(relay, broadcast.playToken, WHEP);
  const first = await until('a first code', async () => (await late.witness()).first);
  await late.waitForState('static');
  const firstPictureMs = await until('it in the records', async () => {
    return (await late.records()).firstPictureMs;
  });
  const whole = { x: 0, y: 0, width: 640, height: 360, rows: 28, columns: 32 };
  const measured = await until('a sharp ruler', () => late.measure());
  stage.note(
    `first picture after ${ms(firstPictureMs)}; ${measured.rows} rows and ${measured.columns} columns of the ruler right; latency ${latencyP50Ms?.toFixed()} ms, ${picture?.codec}`,
  );
  assert.ok(firstPictureMs < FIRST_PICTURE_MS);
  assert.equal(first.clock, (await early.witness()).newest?.clock, 'the same picture');
  assert.deepEqual(measured, whole, 'every pixel of the ruler is right');
  const told = (await early.witness()).states.map(({ kind }) => kind);
  assert.deepEqual(told.slice(-2), ['live', 'static'], 'sharpened, and static all the while');
  assert.equal(told.indexOf('static'), told.length - 1);
  await stage.assertUnharmed({ early, late });
});

scenario('over WebRTC a picture outlives a host that is killed', async (stage) => {
  const { relay, broadcast } = stage;
  const admin = await stage.chromium();
  const audience = await stage.chromium();
  const panel = await admin.openPanel(relay, broadcast.publishToken);
  const first = await panel.share();
  await first.waitUntilLive();
  const player = await audience.openPlayer(relay, broadcast.playToken, WHEP);
  await player.waitForPicture();

  const killedMs = Date.now();
  await crash(first.page);
  await player.waitForState('away');
  const late = await audience.openPlayer(relay, broadcast.playToken, WHEP);
  await late.waitForState('away');
  const last = await until('the last picture', async () => (await late.witness()).first);
  assert.equal(last.clock, (await player.witness()).newest?.clock, 'joined while the host is away');
  await panel.waitForPresence('none');
  const second = await panel.share(/share/i);
  await second.waitUntilLive();
  const scene = await second.scene();
  await player.waitForPicture(0, scene);
  await late.waitForPicture(0, scene);
  await player.waitForState('live');
  const { states, scenes } = await player.witness();
  const awayMs = (states.find(({ kind }) => kind === 'away')?.atMs ?? Infinity) - killedMs;
  stage.note(`told that the host is away after ${ms(awayMs)}`);
  assert.ok(awayMs < 1_500);
  assert.equal(scenes.length, 2, 'the old one did not come back');
  for (const { page } of [player, late]) assert.deepEqual(await peerStates(page), ['connected']);
  await stage.assertUnharmed({ player, late });
});

scenario('over WebRTC the publisher changes its codec', async (stage) => {
  const { relay, broadcast } = stage;
  const admin = await stage.chromium();
  const panel = await admin.openPanel(relay, broadcast.publishToken);
  const host = await panel.shareAt({ width: 640, height: 360 });
  await host.waitUntilLive();
  const player = await admin.openPlayer(relay, broadcast.playToken, WHEP);
  await player.waitForPicture();
  for (const [codec, name] of [
    ['h264', 'H264'],
    ['vp9', 'VP9'],
    ['vp8', 'VP8'],
    ['av1', 'AV1'],
  ] as const) {
    await player.resetWitness();
    await panel.choose('Codec', codec);
    await until(`a picture in ${codec}`, async () => {
      return (await player.records()).picture?.codec === name;
    });
    await player.waitForPicture();
    stage.note(`to ${codec}: largest gap ${ms((await player.witness()).largestGapMs)}`);
  }
  assert.deepEqual(await peerStates(player.page), ['connected']);
  const snapshot = await stage.assertUnharmed({ player });
  assert.equal(snapshot.totals.publishersJoined, 1, 'one session for all codecs');
});

scenario('a WebTransport that never answers is given up for WebRTC', async (stage) => {
  const { relay, broadcast } = stage;
  const admin = await stage.chromium();
  const host = await admin.openHost(relay, broadcast.publishToken);
  await host.waitUntilLive();
  const mute = { webTransport: 'mute' } as const;
  const player = await admin.openPlayer(relay, broadcast.playToken, mute);
  await player.waitForPicture();
  assert.equal(await player.transport(), 'whep');
  const first = await player.records();
  // The next page remembers, and does not even try.
  const next = await admin.openPlayer(relay, broadcast.playToken, mute);
  await next.waitForPicture();
  const second = await next.records();
  stage.note(
    `first picture after ${first.firstPictureMs?.toFixed()} ms, the next time after ${second.firstPictureMs?.toFixed()} ms`,
  );
  assert.ok((first.firstPictureMs ?? Infinity) < 500 + FIRST_PICTURE_MS);
  await stage.assertUnharmed({ player, next });
});

scenario('WebTransport is kept where it works, and WebRTC is not even begun', async (stage) => {
  const { relay, broadcast } = stage;
  const admin = await stage.chromium();
  const host = await admin.openHost(relay, broadcast.publishToken);
  await host.waitUntilLive();
  const player = await admin.openPlayer(relay, broadcast.playToken);
  await player.waitForPicture();
  assert.equal(await player.transport(), 'webtransport');
  assert.deepEqual(await peerStates(player.page), []);
  await stage.assertUnharmed({ player });
});

for (const [signal, what] of [
  ['SIGTERM', 'is restarted'],
  ['SIGKILL', 'crashes and is back'],
] as const) {
  scenario(`over WebRTC the relay ${what}`, async (stage) => {
    const { relay, broadcast } = stage;
    const admin = await stage.chromium();
    const panel = await admin.openPanel(relay, broadcast.publishToken);
    const host = await panel.share();
    await host.waitUntilLive();
    const scene = await host.scene();
    const player = await admin.openPlayer(relay, broadcast.playToken, WHEP);
    await player.waitForPicture();
    const stoppedMs = Date.now();
    await relay.stop(signal);
    await player.waitForState('reconnecting');
    await relay.startAgain();
    const startedMs = Date.now();
    const look = await player.waitForPicture(startedMs, scene);
    await player.waitForState('live');
    const { states } = await player.witness();
    const toldMs = (states.find(({ kind }) => kind === 'reconnecting')?.atMs ?? 0) - stoppedMs;
    stage.note(
      `told ${ms(toldMs)} after the stop; a new picture ${ms(look.atMs - startedMs)} after it was back`,
    );
    assert.equal((await peerStates(player.page)).at(-1), 'connected');
    stage.note(await assertUnharmed('player', player, 2));
    const snapshot = await stage.snapshot();
    assert.deepEqual(snapshot.totals.playersLeft, {}, 'nobody left the new relay');
  });
}

scenario('a WebRTC picture that stands still is replaced under itself', async (stage) => {
  const { relay, broadcast } = stage;
  const admin = await stage.chromium();
  const host = await admin.openHost(relay, broadcast.publishToken);
  await host.waitUntilLive();
  const player = await admin.openPlayer(relay, broadcast.playToken, {
    ...WHEP,
    swallowable: true,
  });
  await player.waitForPicture();
  await player.resetWitness();
  const frozenMs = Date.now();
  await swallowFrames(player.page);
  await until('another connection', async () => (await peerStates(player.page)).length > 1);
  const replacedMs = Date.now();
  const look = await player.waitForPicture(replacedMs);
  await player.waitForState('live');
  stage.note(
    `noticed after ${ms(replacedMs - frozenMs)}, a new picture ${ms(look.atMs - replacedMs)} later`,
  );
  assert.deepEqual(await peerStates(player.page), ['closed', 'connected']);
  stage.note(await assertUnharmed('player', player, 2));
});

scenario('a WebRTC picture that is out of sight keeps its connection', async (stage) => {
  const { relay, broadcast } = stage;
  const admin = await stage.chromium();
  const host = await admin.openHost(relay, broadcast.publishToken);
  await host.waitUntilLive();
  const player = await admin.openPlayer(relay, broadcast.playToken, WHEP);
  await player.waitForPicture();
  const move = (by: string) =>
    player.page.evaluate((value) => {
      document.body.style.transform = `translateY(${value})`;
    }, by);
  await move('500vh');
  const { framesDecoded } = await player.records();
  const many = framesDecoded + OUT_OF_SIGHT_FRAMES;
  await until('many pictures', async () => (await player.records()).framesDecoded > many);
  await move('0');
  await player.waitForPicture();
  await stage.assertUnharmed({ player });
});

scenario('a floating WebRTC picture floats on when its connection is replaced', async (stage) => {
  const { relay, broadcast } = stage;
  const admin = await stage.chromium();
  const host = await admin.openHost(relay, broadcast.publishToken);
  await host.waitUntilLive();
  const player = await admin.openPlayer(relay, broadcast.playToken, WHEP);
  await player.waitForPicture();
  await player.page.getByRole('button', { name: 'Picture in picture' }).click();
  const floats = () =>
    player.page.evaluate(() => {
      const { pictureInPictureElement: element } = document;
      return element instanceof HTMLVideoElement && element === document.querySelector('video');
    });
  await until('it to float', floats);
  await player.page.evaluate(() => {
    for (const video of document.querySelectorAll('video')) video.id = 'before';
  });
  // A goodbye brings the next connection, as any fault would.
  await relay.stop();
  await player.waitForState('reconnecting');
  await relay.startAgain();
  await until('another video', () =>
    player.page.evaluate(() => document.querySelector('video')?.id === ''),
  );
  await until('it to float on', floats);
  await player.waitForState('live');
  await player.waitForPicture();
  stage.note(await assertUnharmed('player', player, 2));
});

scenario('over WebRTC the relay stands still for a while', async (stage) => {
  const { relay, broadcast } = stage;
  const admin = await stage.chromium();
  const host = await admin.openHost(relay, broadcast.publishToken);
  await host.waitUntilLive();
  const player = await admin.openPlayer(relay, broadcast.playToken, WHEP);
  await player.waitForPicture();
  const stoppedMs = Date.now();
  relay.standStill();
  await player.waitForState('reconnecting').finally(() => relay.goOn());
  const wokenMs = Date.now();
  const look = await player.waitForPicture(wokenMs);
  await player.waitForState('live');
  stage.note(
    `told after ${ms(wokenMs - stoppedMs)}, a new picture ${ms(look.atMs - wokenMs)} after it went on`,
  );
  stage.note(await assertUnharmed('player', player, 2));
});

scenario('a WebRTC player that leaves is gone at once', async (stage) => {
  const { relay, broadcast } = stage;
  const admin = await stage.chromium();
  const host = await admin.openHost(relay, broadcast.publishToken);
  await host.waitUntilLive();
  const player = await admin.openPlayer(relay, broadcast.playToken, WHEP);
  await player.waitForPicture();
  assert.equal((await stage.snapshot()).players, 1);
  const leftMs = Date.now();
  await player.page.close();
  await until('it to be gone', async () => (await stage.snapshot()).players === 0);
  const { playersLeft } = (await stage.snapshot()).totals;
  stage.note(`gone ${ms(Date.now() - leftMs)} after its page was closed`);
  assert.deepEqual(playersLeft, { done: 1 });
});
