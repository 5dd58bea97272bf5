import assert from 'node:assert/strict';
import { ms } from '../src/checks.ts';
import { Firefox } from '../src/firefox.ts';
import { scenario } from '../src/stage.ts';
import { until } from '../src/until.ts';

/** Reloading the host, and another codec, take seconds on a busy machine. */
const STILL_MS = 6_000;

scenario('Firefox plays every codec, through a reload of the host', async (stage) => {
  const { relay, broadcast } = stage;
  const admin = await stage.chromium();
  const host = await admin.openHost(relay, broadcast.publishToken);
  await host.waitUntilLive();
  const panel = await admin.openPanel(relay, broadcast.publishToken);
  await panel.waitForState('live');
  const firefox = stage.closeLater(await Firefox.launch());
  stage.note(await firefox.version());
  const player = await firefox.openPlayer(relay, broadcast.playToken, await admin.openLens());
  for (const [codec, prefix] of [
    ['av1', 'av01'],
    ['h264', 'avc1'],
    ['vp9', 'vp09'],
    ['vp8', 'vp8'],
  ] as const) {
    await panel.choose('Codec', codec);
    await until(`a picture in ${codec}`, async () => {
      return (await player.records()).picture?.codec.startsWith(prefix);
    });
    await player.waitForPicture();
  }
  const { firstPictureMs } = await player.records();
  stage.note(`all four codecs; first picture after ${firstPictureMs?.toFixed()} ms`);

  await host.page.reload();
  await host.waitUntilLive();
  await player.waitForPicture(0, await host.scene());
  await player.waitForState('live');
  // Of what it is told meanwhile a witness that looks at screenshots may miss a short moment.
  const { largestGapMs } = await player.witness();
  assert.ok(largestGapMs < STILL_MS, `a still of ${ms(largestGapMs)}`);
  await stage.assertUnharmed({ player });
});

scenario('Firefox offers to share nothing, and says what can', async (stage) => {
  const { relay, broadcast } = stage;
  const firefox = stage.closeLater(await Firefox.launch());
  const panel = await firefox.openPanel(relay, broadcast.publishToken);
  const text = () => panel.evaluate('document.body.innerText') as Promise<string>;
  // The relay's answer is there, and so is everything that follows from it.
  await until('the link for viewers', async () => (await text()).includes('Link for viewers'));
  await until('the state', async () => (await text()).includes('Nothing is shared yet'));
  assert.match(await text(), /This browser lacks .* Chrome and Edge have it/);
  const buttons = (await panel.evaluate(
    '[...document.querySelectorAll("button")].map((button) => button.innerText)',
  )) as string[];
  assert.deepEqual(
    buttons.filter((label) => /share|choose/i.test(label)),
    [],
  );
});
