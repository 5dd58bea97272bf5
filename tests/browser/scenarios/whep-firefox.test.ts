import assert from 'node:assert/strict';
import { Firefox } from '../src/firefox.ts';
import { scenario } from '../src/stage.ts';
import { until } from '../src/until.ts';

/**
 * A page without encryption has no WebTransport, as with the link for a second machine typed by
 * hand; and Firefox connects to nobody on this machine's own address.
 */
scenario(
  'Firefox plays over WebRTC on a page without encryption, through a reload of the host',
  async (stage) => {
    const { relay, broadcast } = stage;
    const origin = relay.networkOrigin;
    if (origin === null) {
      stage.note('left out: this machine has no network');
      return;
    }
    const admin = await stage.chromium();
    const host = await admin.openHost(relay, broadcast.publishToken);
    await host.waitUntilLive();
    const panel = await admin.openPanel(relay, broadcast.publishToken);
    await panel.waitForState('live');
    const firefox = stage.closeLater(await Firefox.launch());
    const lens = await admin.openLens();
    const player = await firefox.openPlayer(relay, broadcast.playToken, lens, origin);
    await player.waitForPicture();
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
