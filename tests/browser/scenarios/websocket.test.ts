import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import type { Page, Worker } from 'playwright-core';
import { assertUnharmed, ms } from '../src/checks.ts';
import { crash, type PlayerTab } from '../src/chromium.ts';
import { Firefox } from '../src/firefox.ts';
import type { HostPage } from '../src/pages.ts';
import { type Stage, scenario } from '../src/stage.ts';
import { TcpOnly } from '../src/tcp-only.ts';
import { pause, until } from '../src/until.ts';

/** The promises are 1.5 s and 0.3 s, and the notes say what it was; this also runs beside a compiler. */
const FOUND_MS = 6_000;
const KNOWN_MS = 2_000;
const RESTARTS = 5;
const TONE_HZ = 440;
/** What a flow lives for whose firewall comes to know it. */
const FLOW_MS = 5_000;
const TCP = { webTransport: 'tcp' } as const;

async function withoutUdp(stage: Stage): Promise<TcpOnly> {
  return stage.closeLater(await TcpOnly.start(stage.relay.origin));
}

/** From the page's first moment to its first picture, in ms. */
async function pictureMs(player: PlayerTab): Promise<number> {
  const first = await until('a first code', async () => (await player.witness()).first);
  return first.atMs - (await player.page.evaluate(() => performance.timeOrigin));
}

/** A page, or its worker, hears that its network is another one. */
function changeNetwork(scope: Page | Worker): Promise<void> {
  return (scope as Page).evaluate(() => void dispatchEvent(new Event('online')));
}

scenario(
  'where UDP is swallowed a player sees the picture over TCP, and knows it the next time',
  async (stage) => {
    const { relay, broadcast } = stage;
    const admin = await stage.chromium();
    const host = await admin.openHost(relay, broadcast.publishToken);
    await host.waitUntilLive();
    const network = await withoutUdp(stage);
    const player = await admin.openPlayer(network, broadcast.playToken);
    const foundMs = await pictureMs(player);
    assert.equal(await player.transport(), 'websocket');
    assert.ok(network.swallowed > 0, 'WebTransport and WebRTC were tried');
    const { firstPictureMs } = await player.records();
    stage.note(
      `first picture ${ms(foundMs)} after the page began, ${ms(firstPictureMs ?? NaN)} after its first session`,
    );
    assert.ok(foundMs < FOUND_MS);

    await player.page.reload();
    const knownMs = await pictureMs(player);
    assert.equal(await player.transport(), 'websocket');
    stage.note(
      `the next time ${ms(knownMs)} after the page began, ${ms((await player.records()).firstPictureMs ?? NaN)} after its first session`,
    );
    assert.ok(knownMs < KNOWN_MS);
    await until('its latency', async () => (await player.records()).latencyMs);
    const { latencyP50Ms, latencyP95Ms } = await player.records();
    stage.note(`latency ${latencyP50Ms?.toFixed()} / ${latencyP95Ms?.toFixed()} ms`);
    stage.note(await assertUnharmed('player', player));
  },
);

scenario(
  'a browser with neither WebTransport nor WebRTC goes straight to WebSocket',
  async (stage) => {
    const { relay, broadcast } = stage;
    const admin = await stage.chromium();
    const host = await admin.openHost(relay, broadcast.publishToken);
    await host.waitUntilLive();
    const own = { ...TCP, apart: true } as const;
    const player = await admin.openPlayer(relay, broadcast.playToken, own);
    await player.waitForPicture();
    assert.equal(await player.transport(), 'websocket');
    await player.page.keyboard.press('i');
    await player.page.getByText('WebSocket', { exact: true }).waitFor();
    const panel = await admin.openPanel(relay, broadcast.publishToken);
    await panel.page.getByText('1 over WebSocket', { exact: true }).waitFor();
    await host.setScene({ moving: false });
    await player.waitForState('static');
    await host.setScene({ moving: true });
    await player.waitForState('live');
    await stage.assertUnharmed({ player });
  },
);

scenario(
  'a player over TCP moves to WebTransport when UDP comes through again, without a gap',
  async (stage) => {
    const { relay, broadcast } = stage;
    const admin = await stage.chromium();
    const host = await admin.openHost(relay, broadcast.publishToken);
    await host.waitUntilLive();
    const network = await withoutUdp(stage);
    const player = await admin.openPlayer(network, broadcast.playToken);
    await player.waitForPicture();
    assert.equal(await player.transport(), 'websocket');
    network.letUdpThrough();
    await player.resetWitness();
    await changeNetwork(player.page);
    await until('WebTransport', async () => (await player.transport()) === 'webtransport');
    await player.waitForPicture();
    const { largestGapMs, states } = await player.witness();
    stage.note(
      `largest gap ${ms(largestGapMs)}; told ${states.map(({ kind }) => kind).join(', ')}`,
    );
    assert.ok(!states.some(({ kind }) => kind === 'reconnecting' || kind === 'away'));
    stage.note(await assertUnharmed('player', player, 2, 0));
    await until('the other session to be gone', async () => (await stage.snapshot()).players === 1);
    // The next page begins with it.
    await player.page.reload();
    await player.waitForPicture();
    assert.equal(await player.transport(), 'webtransport');
  },
);

scenario(
  'a viewer over TCP goes on watching after the link has expired, and asks for nothing better',
  async (stage) => {
    const { relay, broadcast } = stage;
    const admin = await stage.chromium();
    const host = await admin.openHost(relay, broadcast.publishToken);
    await host.waitUntilLive();
    const network = await withoutUdp(stage);
    const expiresInS = 20;
    const wish = { broadcast: broadcast.id, role: 'play', expiresInS } as const;
    const expiresMs = Date.now() + expiresInS * 1_000;
    const player = await admin.openPlayer(network, await relay.forge(wish));
    await player.waitForPicture();
    assert.equal(await player.transport(), 'websocket');
    await until('the link’s end', () => Date.now() > expiresMs + 1_000);
    network.letUdpThrough();
    await player.resetWitness();
    await changeNetwork(player.page);
    await until('the refusal', async () => {
      return /session refused.*token_expired|token_expired.*session refused/.test(
        await readFile(relay.logPath, 'utf8'),
      );
    });
    await player.waitForPicture(Date.now());
    await player.waitForState('live');
    assert.equal(await player.transport(), 'websocket');
    const { largestGapMs, states } = await player.witness();
    stage.note(`largest gap ${ms(largestGapMs)} around the refusal`);
    assert.ok(!states.some(({ kind }) => kind === 'refused' || kind === 'reconnecting'));
    await stage.assertUnharmed({ player });
  },
);

scenario(
  'a host goes live where UDP is swallowed, and moves when it comes through again',
  async (stage) => {
    const { relay, broadcast } = stage;
    const admin = await stage.chromium();
    const network = await withoutUdp(stage);
    const panel = await admin.openPanel(network, broadcast.publishToken);
    const sharedMs = Date.now();
    const host = await panel.share();
    const { carrier } = await host.waitUntilLive();
    stage.note(`live over ${carrier} ${ms(Date.now() - sharedMs)} after the click`);
    assert.equal(carrier, 'websocket');
    await panel.page
      .getByText('Over TCP: UDP to the server did not get through.', { exact: true })
      .waitFor();
    const player = await admin.openPlayer(relay, broadcast.playToken);
    await player.waitForPicture();

    await host.page.reload();
    const againMs = Date.now();
    await host.waitUntilLive();
    stage.note(`live again ${ms(Date.now() - againMs)} after a reload`);
    assert.equal((await host.status())?.carrier, 'websocket');
    await player.waitForPicture(0, await host.scene());
    await player.waitForState('live');

    network.letUdpThrough();
    await player.resetWitness();
    const toldBefore = (await player.witness()).states.length;
    for (const worker of host.page.workers()) await changeNetwork(worker);
    await host.waitFor('on WebTransport', ({ carrier }) => carrier === 'webtransport');
    await player.waitForPicture();
    const { largestGapMs, states } = await player.witness();
    stage.note(`largest gap for the viewer while the host moved: ${ms(largestGapMs)}`);
    assert.deepEqual(states.slice(toldBefore), [], 'nobody was told of anything');
    const { counts } = (await host.status()) ?? {};
    assert.equal(counts?.sessionsLost, 0);
    await stage.assertUnharmed({ player });
  },
);

scenario(
  'where flows of UDP are cut off again and again a host and a player go over to TCP and stay there',
  async (stage) => {
    const { relay, broadcast } = stage;
    const admin = await stage.chromium();
    const network = await withoutUdp(stage);
    network.letUdpThrough(FLOW_MS);
    const host = await admin.openHost(network, broadcast.publishToken);
    assert.equal((await host.waitUntilLive()).carrier, 'webtransport');
    const { counts } = await host.waitFor('on TCP', ({ state, carrier }) => {
      return state === 'live' && carrier === 'websocket';
    });
    const watching = await admin.openPlayer(relay, broadcast.playToken);
    await watching.waitForPicture();
    const player = await admin.openPlayer(network, broadcast.playToken, { apart: true });
    await player.waitForPicture();
    assert.equal(await player.transport(), 'webtransport');
    const sinceMs = Date.now();
    await until('TCP', async () => (await player.transport()) === 'websocket');
    await player.waitForPicture(Date.now());
    const { sessionsOpened } = await player.records();
    stage.note(
      `on TCP ${ms(Date.now() - sinceMs)} after the first picture, in session ${sessionsOpened}`,
    );
    // Longer than UDP ever held.
    await player.resetWitness();
    await pause(2 * FLOW_MS);
    await player.waitForState('live');
    const { largestGapMs } = await player.witness();
    stage.note(`largest gap ${ms(largestGapMs)} from then on`);
    assert.ok(largestGapMs < FLOW_MS);
    assert.equal((await player.records()).sessionsOpened, sessionsOpened);
    assert.equal((await host.status())?.counts.sessionsLost, counts.sessionsLost);
    assert.equal((await host.status())?.carrier, 'websocket');
    await player.page.reload();
    await player.waitForPicture();
    assert.equal(await player.transport(), 'websocket', 'the next page begins with it');
    stage.note(await assertUnharmed('who has UDP', watching));
    stage.note(await assertUnharmed('player', player));
  },
);

scenario(
  'the publisher crashes and is back, with players on all three transports',
  async (stage) => {
    const { relay, broadcast } = stage;
    const admin = await stage.chromium();
    const viewers = await stage.chromium();
    let host: HostPage = await admin.openHost(relay, broadcast.publishToken);
    await host.waitUntilLive();
    const open = (webTransport: 'alone' | 'none' | 'tcp') =>
      viewers.openPlayer(relay, broadcast.playToken, { webTransport, apart: true });
    const players = {
      webtransport: await open('alone'),
      whep: await open('none'),
      websocket: await open('tcp'),
    };
    for (const [name, player] of Object.entries(players)) {
      await player.waitForPicture();
      assert.equal(await player.transport(), name);
    }
    for (let restart = 0; restart < RESTARTS; restart += 1) {
      await crash(host.page);
      await host.page.close();
      await until('held', async () => (await stage.snapshot()).phase === 'held');
      host = await admin.openHost(relay, broadcast.publishToken);
      await host.waitUntilLive();
      const scene = await host.scene();
      for (const player of Object.values(players)) await player.waitForPicture(0, scene);
    }
    const snapshot = await stage.assertUnharmed(players);
    assert.equal(snapshot.epoch, RESTARTS + 1);
  },
);

scenario(
  'over TCP the relay is restarted, under a host and a player that have nothing else',
  async (stage) => {
    const { relay, broadcast } = stage;
    const admin = await stage.chromium();
    const network = await withoutUdp(stage);
    const host = await admin.openHost(network, broadcast.publishToken);
    await host.waitUntilLive();
    const player = await admin.openPlayer(network, broadcast.playToken);
    await player.waitForPicture();
    const stoppedMs = Date.now();
    await relay.stop();
    await player.waitForState('reconnecting');
    await relay.startAgain();
    const startedMs = Date.now();
    const look = await player.waitForPicture(startedMs);
    await player.waitForState('live');
    const { states } = await player.witness();
    const toldMs = (states.find(({ kind }) => kind === 'reconnecting')?.atMs ?? 0) - stoppedMs;
    stage.note(
      `told ${ms(toldMs)} after the stop; a new picture ${ms(look.atMs - startedMs)} after it was back`,
    );
    assert.equal(await player.transport(), 'websocket');
    assert.equal((await host.status())?.carrier, 'websocket');
    stage.note(await assertUnharmed('player', player, 2));
  },
);

scenario(
  'over TCP and TLS, a viewer whose connections die without a word is back soon',
  async (stage) => {
    const { relay, broadcast } = stage;
    const admin = await stage.chromium();
    const host = await admin.openHost(relay, broadcast.publishToken);
    await host.waitUntilLive();
    const network = await withoutUdp(stage);
    const outside = { origin: network.origin.replace('http:', 'https:') };
    const audience = await stage.chromium({ trusting: true });
    const player = await audience.openPlayer(outside, broadcast.playToken, TCP);
    await player.waitForPicture();
    assert.equal(await player.transport(), 'websocket');
    // The browser still has the connection that the page came by, unless the relay has ended that.
    await until('the pages’ connection to end', () => network.connections === 1);
    await player.resetWitness();
    network.cutOff();
    await player.waitForState('reconnecting');
    await player.waitForPicture();
    const { largestGapMs } = await player.witness();
    stage.note(`back after ${ms(largestGapMs)}`);
    assert.ok(largestGapMs < 20_000, 'before the browser gives the dead connections up');
    stage.note(await assertUnharmed('player', player, 2));
  },
);

scenario('over TCP a tab’s tone is heard, from a host that is on TCP as well', async (stage) => {
  const { broadcast } = stage;
  const admin = await stage.chromium({ sound: 'real' });
  const audience = await stage.chromium({ sound: 'real' });
  const network = await withoutUdp(stage);
  const host = await admin.openHost(network, broadcast.publishToken);
  assert.equal((await host.waitUntilLive()).carrier, 'websocket');
  await host.page.evaluate((hz) => window.tone?.play(hz), TONE_HZ);
  const player = await audience.openPlayer(network, broadcast.playToken, { ...TCP, ear: true });
  await player.waitForTone(TONE_HZ);
  assert.equal(await player.transport(), 'websocket');
  await player.page.keyboard.press('m');
  await player.waitForSilence();
  await player.page.keyboard.press('m');
  await player.waitForTone(TONE_HZ);
  const late = await until('its delay', async () => (await player.records()).sound?.latencyMs);
  stage.note(`sound ${late.toFixed()} ms late`);
  assert.equal((await host.status())?.sound.left, 0, 'none was left out for want of room');
});

scenario('Firefox plays over TCP', async (stage) => {
  const { relay, broadcast } = stage;
  const admin = await stage.chromium();
  const host = await admin.openHost(relay, broadcast.publishToken);
  await host.waitUntilLive();
  const firefox = stage.closeLater(await Firefox.launch());
  const alone = 'delete window.WebTransport; delete window.RTCPeerConnection;';
  const lens = await admin.openLens();
  const player = await firefox.openPlayer(relay, broadcast.playToken, lens, relay.origin, alone);
  await player.waitForPicture();
  assert.equal(await player.transport(), 'websocket');
  await host.page.reload();
  await host.waitUntilLive();
  await player.waitForPicture(0, await host.scene());
  await player.waitForState('live');
  await stage.assertUnharmed({ player });
});
