import assert from 'node:assert/strict';
import { ms } from '../src/checks.ts';
import type { HostPage, PanelPage, PlayerPage } from '../src/pages.ts';
import { scenario } from '../src/stage.ts';
import { until } from '../src/until.ts';

const LINGER = ['--broadcast-rendition-linger-ms', '3000'];
const WITHOUT_AV1 = [{ prefix: 'av01' }];

scenario(
  'a browser without AV1 gets a version of its own, which ends with its last viewer',
  async (stage) => {
    const { relay, broadcast } = stage;
    const admin = await stage.chromium();
    const panel = await admin.openPanel(relay, broadcast.publishToken);
    const host = await shareAv1(panel);
    const modern = await admin.openPlayer(relay, broadcast.playToken);
    await modern.waitForPicture();
    const plain = await stage.chromium({ lacks: WITHOUT_AV1 });
    const first = await plain.openPlayer(relay, broadcast.playToken);
    await showsIn(first, 'avc1');
    const { firstPictureMs } = await first.records();
    stage.note(`first picture, encoder and all, after ${ms(firstPictureMs ?? Number.NaN)}`);
    await panelSays(panel, 'Also sending H.264 for 1 viewer whose browser cannot show AV1.');

    const second = await plain.openPlayer(relay, broadcast.playToken);
    await showsIn(second, 'avc1');
    await panelSays(panel, 'Also sending H.264 for 2 viewers whose browsers cannot show AV1.');
    const shared = await stage.snapshot();
    assert.deepEqual(
      shared.renditions.map(({ codec, players }) => ({ codec, players })),
      [{ codec: 'h264', players: 2 }],
    );
    assert.match((await modern.records()).picture?.codec ?? '', /^av01/);

    await host.setScene({ moving: false });
    const measured = await until('a sharp ruler', async () => {
      const seen = await first.measure();
      return seen !== null && seen.rows === 28 && seen.columns === 32 ? seen : null;
    });
    assert.deepEqual([measured.width, measured.height], [640, 360]);
    await stage.assertUnharmed({ modern, first, second });

    await first.page.close();
    await second.page.close();
    await panelSays(panel, 'Still sending H.264 for a moment, in case a viewer comes back.');
    await until('the rendition to end', async () => {
      const status = await host.status();
      return status?.renditions.length === 0 && (await stage.snapshot()).renditions.length === 0;
    });
    await host.setScene({ moving: true });
    await modern.waitForPicture();
  },
  { relay: LINGER },
);

scenario('a decoder that breaks its promise is given another codec', async (stage) => {
  const { relay, broadcast } = stage;
  const admin = await stage.chromium();
  const panel = await admin.openPanel(relay, broadcast.publishToken);
  await shareAv1(panel);
  const failing = await stage.chromium({ lacks: [{ prefix: 'av01', promises: true }] });
  const player = await failing.openPlayer(relay, broadcast.playToken);
  await showsIn(player, 'avc1');
  const { decoderErrors, firstPictureMs } = await player.records();
  stage.note(`${decoderErrors} errors, a picture after ${ms(firstPictureMs ?? Number.NaN)}`);
  assert.equal(decoderErrors, 3);
});

scenario('the admin changes to a codec that some cannot show, and back', async (stage) => {
  const { relay, broadcast } = stage;
  const admin = await stage.chromium();
  const panel = await admin.openPanel(relay, broadcast.publishToken);
  const host = await panel.shareAt({ width: 640, height: 360 });
  await host.waitUntilLive();
  await panel.choose('Codec', 'vp8');
  await host.waitFor('in VP8', ({ picture }) => picture?.codec === 'vp8');
  const plain = await stage.chromium({ lacks: [...WITHOUT_AV1, { prefix: 'avc1' }] });
  const player = await plain.openPlayer(relay, broadcast.playToken);
  await showsIn(player, 'vp8');
  await player.resetWitness();
  await panel.choose('Codec', 'av1');
  await panelSays(panel, 'Also sending VP8 for 1 viewer whose browser cannot show AV1.');
  await player.waitForPicture();
  stage.note(`to a rendition: largest gap ${ms((await player.witness()).largestGapMs)}`);
  await player.resetWitness();
  await panel.choose('Codec', 'vp9');
  await showsIn(player, 'vp09');
  stage.note(`back to the main track: largest gap ${ms((await player.witness()).largestGapMs)}`);
  await stage.assertUnharmed({ player });
});

scenario('a viewer for whom nothing can be made is told so', async (stage) => {
  const { relay, broadcast } = stage;
  const admin = await stage.chromium({ lacks: [{ prefix: 'avc1', coder: 'encoder' }] });
  const panel = await admin.openPanel(relay, broadcast.publishToken);
  await shareAv1(panel);
  const lacks = ['av01', 'vp09', 'vp8'].map((prefix) => ({ prefix }));
  const plain = await stage.chromium({ lacks });
  const player = await plain.openPlayer(relay, broadcast.playToken);
  assert.deepEqual(await player.waitForState('undecodable'), { kind: 'undecodable', codec: 'av1' });
  await player.page.getByText('This browser cannot show the picture').first().waitFor();
  await panel.page.getByText(/cannot show AV1, and H.264 cannot be made for them/).waitFor();
  // A refusal is no dead end for those that have a choice.
  const other = await stage.chromium({ lacks: WITHOUT_AV1 });
  await showsIn(await other.openPlayer(relay, broadcast.playToken), 'vp8');
  assert.equal((await player.records()).sessionsClosed, 0);
});

async function shareAv1(panel: PanelPage): Promise<HostPage> {
  const host = await panel.shareAt({ width: 640, height: 360 });
  await host.waitFor('in AV1', ({ picture }) => picture?.codec.startsWith('av01') === true);
  return host;
}

async function showsIn(player: PlayerPage, prefix: string): Promise<void> {
  await until(`a picture in ${prefix}`, async () => {
    const { picture, framesShown } = await player.records();
    return picture?.codec.startsWith(prefix) === true && framesShown > 0;
  });
  await player.waitForPicture();
}

async function panelSays(panel: PanelPage, sentence: string): Promise<void> {
  await panel.page.getByText(sentence, { exact: true }).waitFor({ timeout: 20_000 });
}
