import assert from 'node:assert/strict';
import { Firefox } from '../src/firefox.ts';
import { scenario } from '../src/stage.ts';
import { until } from '../src/until.ts';

const NAMES = { vp8: 'VP8', vp9: 'VP9', av1: 'AV1', h264: 'H264' } as const;

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
    for (const codec of ['vp9', 'vp8', 'av1', 'h264', 'vp8'] as const) {
      await panel.choose('Codec', codec);
      const plays = await until(`a picture in ${codec}, or that there is none`, async () => {
        if ((await player.undecodable()) !== null) return 'no';
        return (await player.records()).picture?.codec === NAMES[codec] && 'yes';
      });
      // Firefox plays H.264 with a library that it would have to download.
      if (plays === 'no') assert.equal(codec, 'h264', 'only this one may be missing');
      else await player.waitForPicture();
      stage.note(`${codec}: ${plays}`);
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
