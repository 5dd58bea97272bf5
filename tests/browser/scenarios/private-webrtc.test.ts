import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { assertUnharmed } from '../src/checks.ts';
import { Firefox } from '../src/firefox.ts';
import { linksOf, PRIVATE_RELAY } from '../src/private-links.ts';
import { scenario } from '../src/stage.ts';
import { until } from '../src/until.ts';

const PRIVATE = { relay: PRIVATE_RELAY };
const TONE_HZ = 440;
const WHEP = { webTransport: 'none' } as const;

scenario(
  'a private broadcast is seen over WebRTC, to the pixel, through a reload of the host and a restart of the relay',
  async (stage) => {
    const { relay } = stage;
    const { publish, play } = linksOf(stage);
    const admin = await stage.chromium();
    const host = await admin.openHost(relay, publish);
    await host.waitUntilLive();
    const player = await admin.openPlayer(relay, play, WHEP);
    await player.waitForPicture();
    assert.equal(await player.transport(), 'whep');
    const measured = await until('a sharp ruler', () => player.measure());
    const whole = { x: 0, y: 0, width: 640, height: 360, rows: 28, columns: 32 };
    assert.deepEqual(measured, whole, 'every pixel of the ruler is right');

    await host.page.reload();
    await host.waitUntilLive();
    await player.waitForPicture(0, await host.scene());
    await player.waitForState('live');
    const { latencyP50Ms } = await until('a latency', async () => {
      const records = await player.records();
      return records.latencyP50Ms === null ? null : records;
    });
    stage.note(`latency ${latencyP50Ms?.toFixed()} ms`);

    // What its browser's decoder asks for, which is given nothing, reaches nobody.
    const { totals } = await stage.snapshot();
    const askedMs = Date.now();
    await player.waitForPicture(askedMs + 3_000);
    const later = (await stage.snapshot()).totals;
    assert.equal(later.keyframeRequests, totals.keyframeRequests);
    await stage.assertUnharmed({ player });

    await relay.stop();
    await relay.startAgain();
    await host.waitUntilLive();
    await player.waitForPicture();
    await player.waitForState('live');
    assert.equal(await player.transport(), 'whep');
    const privacy = await player.page.evaluate(() => window.steadycast?.privacy());
    assert.equal(privacy?.lock, 'open');
    assert.equal(privacy?.meddled, null);
  },
  PRIVATE,
);

scenario(
  'over WebRTC nobody sees a private broadcast without its key, nor with another',
  async (stage) => {
    const { relay, broadcast } = stage;
    const { publish } = linksOf(stage);
    const admin = await stage.chromium();
    const host = await admin.openHost(relay, publish);
    await host.waitUntilLive();
    const without = await admin.openPlayer(relay, broadcast.playToken, { ...WHEP, places: null });
    await without.waitForState('locked');
    await without.page.getByText('This link lacks the key').first().waitFor();
    const { play } = linksOf(stage, randomBytes(32).toString('base64url'));
    const another = await admin.openPlayer(relay, play, { ...WHEP, places: null, apart: true });
    await another.waitForState('locked');
    await another.page.getByText('This link’s key does not fit').first().waitFor();
    for (const player of [without, another]) {
      assert.equal((await player.records()).framesShown, 0);
    }
  },
  PRIVATE,
);

scenario(
  'the sound of a private broadcast is heard over WebRTC',
  async (stage) => {
    const { relay } = stage;
    const { publish, play } = linksOf(stage);
    const admin = await stage.chromium({ sound: 'real' });
    const audience = await stage.chromium({ sound: 'real' });
    const host = await admin.openHost(relay, publish);
    await host.waitUntilLive();
    await host.page.evaluate((hz) => window.tone?.play(hz), TONE_HZ);
    const player = await audience.openPlayer(relay, play, { ...WHEP, ear: true });
    await player.waitForTone(TONE_HZ);
    assert.equal(await player.transport(), 'whep');
    await host.page.reload();
    await host.waitUntilLive();
    await player.waitForSilence();
    await host.page.evaluate((hz) => window.tone?.play(hz), TONE_HZ);
    await player.waitForTone(TONE_HZ);
  },
  PRIVATE,
);

scenario(
  'a browser that lets pages have no frames of WebRTC says so, where there is nothing else',
  async (stage) => {
    const { relay } = stage;
    const { play } = linksOf(stage);
    const admin = await stage.chromium();
    await admin.context.addInitScript({ content: 'delete globalThis.RTCRtpScriptTransform;' });
    const player = await admin.openPlayer(relay, play, { ...WHEP, places: null });
    await player.waitForState('unsupported');
    await player.page
      .getByText('This browser cannot open this encrypted broadcast')
      .first()
      .waitFor();
  },
  PRIVATE,
);

scenario(
  'a private broadcast is seen in Firefox over WebRTC, through a reload of the host',
  async (stage) => {
    const { relay } = stage;
    if (relay.networkOrigin === null) {
      stage.note('left out: this machine has no network');
      return;
    }
    const { publish, play } = linksOf(stage);
    const admin = await stage.chromium();
    const host = await admin.openHost(relay, publish);
    await host.waitUntilLive();
    const firefox = stage.closeLater(await Firefox.launch());
    const lens = await admin.openLens();
    const player = await firefox.openPlayer(relay, play, lens, relay.origin, onlyWebRtc);
    await player.waitForPicture();
    assert.equal(await player.transport(), 'whep');
    await host.page.reload();
    await host.waitUntilLive();
    await player.waitForPicture(0, await host.scene());
    await player.waitForState('live');
    stage.note(await assertUnharmed('player', player));
  },
  { ...PRIVATE, everywhere: true },
);

/** Runs in the page. */
function onlyWebRtc(): void {
  Reflect.deleteProperty(globalThis, 'WebTransport');
  Reflect.deleteProperty(globalThis, 'WebSocket');
}
