import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { ms } from '../src/checks.ts';
import { Firefox } from '../src/firefox.ts';
import { type Stage, scenario } from '../src/stage.ts';
import { until } from '../src/until.ts';

/** Every broadcast is private, unless its maker says otherwise. */
const PRIVATE = { relay: ['--broadcast-private=true', '--log-level=trace'] } as const;
const TCP = { webTransport: 'tcp' } as const;

/** A key, and the tokens of this stage's broadcast with it, as they stand in links. */
function linksOf({ broadcast }: Stage, key = randomBytes(32).toString('base64url')) {
  const whole = (token: string) => `${token}&key=${key}`;
  return { key, publish: whole(broadcast.publishToken), play: whole(broadcast.playToken) };
}

scenario(
  'a private broadcast is seen by people with the link, over WebTransport and WebSocket',
  async (stage) => {
    const { relay, broadcast } = stage;
    const { key, publish, play } = linksOf(stage);
    const admin = await stage.chromium();
    const host = await admin.openHost(relay, publish);
    await host.waitUntilLive();
    const direct = await admin.openPlayer(relay, play);
    const overTcp = await admin.openPlayer(relay, play, { ...TCP, apart: true });
    for (const player of [direct, overTcp]) await player.waitForPicture();
    assert.deepEqual(
      [await direct.transport(), await overTcp.transport()],
      ['webtransport', 'websocket'],
    );
    const without = await admin.openPlayer(relay, broadcast.playToken, {
      places: null,
      apart: true,
    });
    await without.waitForState('locked');
    await without.page.getByText('This link lacks the key').first().waitFor();
    await without.page.close();

    await host.page.reload();
    await host.waitUntilLive();
    const scene = await host.scene();
    for (const player of [direct, overTcp]) {
      await player.waitForPicture(0, scene);
      await player.waitForState('live');
    }
    await until('a latency', async () => (await direct.records()).latencyP50Ms);
    const { latencyP50Ms, latencyP95Ms } = await direct.records();
    stage.note(`latency ${ms(latencyP50Ms ?? NaN)} / ${ms(latencyP95Ms ?? NaN)}`);
    await stage.assertUnharmed({ direct, overTcp });
    const log = await readFile(relay.logPath, 'utf8');
    assert.ok(log.length > 0 && !log.includes(key), 'the relay has never heard of the key');
  },
  PRIVATE,
);

scenario(
  'a private broadcast is seen in Firefox',
  async (stage) => {
    const { relay } = stage;
    const { publish, play } = linksOf(stage);
    const admin = await stage.chromium();
    const host = await admin.openHost(relay, publish);
    await host.waitUntilLive();
    const firefox = stage.closeLater(await Firefox.launch());
    const player = await firefox.openPlayer(relay, play, await admin.openLens());
    await player.waitForPicture();
    await stage.assertUnharmed({ player });
  },
  PRIVATE,
);

scenario(
  'a host without the key is told so, and shows nobody anything',
  async (stage) => {
    const { relay, broadcast } = stage;
    const admin = await stage.chromium();
    const host = await admin.openHost(relay, broadcast.publishToken);
    const status = await until('a refusal', async () => {
      const said = await host.status();
      return said?.code === 'private' ? said : null;
    });
    assert.equal(status.state, 'refused');
    const { cache } = await stage.snapshot();
    assert.equal(cache.frames, 0);
  },
  PRIVATE,
);
