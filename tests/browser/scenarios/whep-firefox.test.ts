import assert from 'node:assert/strict';
import { assertUnharmed } from '../src/checks.ts';
import { Firefox } from '../src/firefox.ts';
import { type Stage, scenario } from '../src/stage.ts';
import { until } from '../src/until.ts';

/** Longer than a frame may be on its way. */
const HELD_MS = 1_000;

declare global {
  interface Window {
    receivers?: RTCRtpReceiver[];
  }
}

/**
 * A page without encryption has no WebTransport, as with the link for a second machine typed by
 * hand; and Firefox connects to nobody on this machine's own address.
 */
scenario(
  'Firefox plays over WebRTC on a page without encryption, through a reload of the host',
  async (stage) => {
    const watched = await watch(stage);
    if (watched === null) return;
    const { admin, host, player } = watched;
    const panel = await admin.openPanel(stage.relay, stage.broadcast.publishToken);
    await panel.waitForState('live');
    assert.equal(await player.transport(), 'whep');
    for (const [codec, names] of [
      ['vp9', ['VP9']],
      ['vp8', ['VP8']],
      ['av1', ['AV1']],
      // It plays H.264 with a library that it would have to download; without, it gets a rendition.
      ['h264', ['H264', 'VP8', 'VP9']],
    ] as const) {
      await panel.choose('Codec', codec);
      const name = await until(`a picture while ${codec} is shared`, async () => {
        const shown = (await player.records()).picture?.codec;
        return names.find((one) => one === shown);
      });
      await player.waitForPicture();
      stage.note(`shared as ${codec}, shown as ${name}`);
    }
    await host.page.reload();
    await host.waitUntilLive();
    await player.waitForPicture(0, await host.scene());
    await player.waitForState('live');
    const { firstPictureMs, latencyMs } = await player.records();
    stage.note(
      `first picture after ${firstPictureMs?.toFixed()} ms, latency ${latencyMs?.toFixed()} ms`,
    );
    await stage.assertUnharmed({ player });
  },
  { everywhere: true },
);

/**
 * Once frames were held, this browser shows none any more that are not to be held at all. It goes on
 * decoding them, and says nothing.
 */
scenario(
  'Firefox shows a WebRTC picture with ever less of a hold, and a new one in place of one that stands',
  async (stage) => {
    const watched = await watch(stage, rememberReceivers);
    if (watched === null) return;
    const { player } = watched;
    for (const ms of [100, 1]) {
      await player.page.evaluate(holdFrames, ms);
      await player.waitForPicture(Date.now() + HELD_MS);
    }
    await player.page.evaluate(holdFrames, 0);
    const stoodMs = Date.now();
    await until('another connection', async () => (await player.records()).sessionsOpened > 1);
    const replacedMs = Date.now();
    const look = await player.waitForPicture(replacedMs);
    await player.waitForState('live');
    stage.note(
      `noticed after ${replacedMs - stoodMs} ms, a new picture ${look.atMs - replacedMs} ms later`,
    );
    stage.note(await assertUnharmed('player', player, 2));
  },
  { everywhere: true },
);

/**
 * A host in Chromium, and a player in Firefox that has a picture; `prepare` runs in its page before
 * all. Null: this machine has no network.
 */
async function watch(stage: Stage, prepare?: () => void) {
  const { relay, broadcast } = stage;
  const origin = relay.networkOrigin;
  if (origin === null) {
    stage.note('left out: this machine has no network');
    return null;
  }
  const admin = await stage.chromium();
  const host = await admin.openHost(relay, broadcast.publishToken);
  await host.waitUntilLive();
  const firefox = stage.closeLater(await Firefox.launch());
  const lens = await admin.openLens();
  const player = await firefox.openPlayer(relay, broadcast.playToken, lens, origin, prepare);
  await player.waitForPicture();
  return { admin, host, player };
}

/** Runs in the page: what holds its frames can be told past it, and is not told otherwise. */
function rememberReceivers(): void {
  localStorage.setItem('steadycast-playout', 'live');
  const receivers: RTCRtpReceiver[] = [];
  window.receivers = receivers;
  const add = RTCPeerConnection.prototype.addTransceiver;
  RTCPeerConnection.prototype.addTransceiver = function (...args) {
    const transceiver = add.apply(this, args);
    receivers.push(transceiver.receiver);
    return transceiver;
  };
}

/** Runs in the page. */
function holdFrames(ms: number): void {
  for (const receiver of window.receivers ?? []) receiver.jitterBufferTarget = ms;
}
