import assert from 'node:assert/strict';
import { crash } from '../src/chromium.ts';
import { HoldingProxy } from '../src/holding-proxy.ts';
import { scenario } from '../src/stage.ts';
import { pause, until } from '../src/until.ts';

const WHEP = { webTransport: 'none' } as const;
/** More than twice as long as a session lasted that waited for events. */
const REST_MS = 12_000;
/** A browser makes six connections to a host over HTTP/1.1. */
const TABS = 8;

scenario('a proxy that holds events back costs the viewer of a slide nothing', async (stage) => {
  const { relay, broadcast } = stage;
  const proxy = stage.closeLater(await HoldingProxy.start(relay.origin));
  const admin = await stage.chromium({ scene: { moving: false } });
  const host = await admin.openHost(relay, broadcast.publishToken);
  await host.waitUntilLive();
  const audience = await stage.chromium();
  const player = await audience.openPlayer(proxy, broadcast.playToken, WHEP);
  await player.waitForState('static');
  assert.equal(await player.transport(), 'whep');
  await until('a stream that was held back', () => proxy.withheld > 0);
  await pause(REST_MS);
  assert.equal(proxy.withheld, 1, 'no second one was tried');
  assert.equal((await player.state()).kind, 'static', 'what the viewer is told');
  await stage.assertUnharmed({ player });
  // What happens is heard of all the same.
  await crash(host.page);
  await player.waitForState('away');
});

scenario('over HTTP/1.1 the eighth tab of a browser watches as the first does', async (stage) => {
  const { relay, broadcast } = stage;
  const admin = await stage.chromium({ scene: { moving: false } });
  const host = await admin.openHost(relay, broadcast.publishToken);
  await host.waitUntilLive();
  const audience = await stage.chromium();
  const players = [];
  for (let tab = 1; tab <= TABS; tab += 1) {
    const player = await audience.openPlayer(relay, broadcast.playToken, WHEP);
    await player.waitForState('static');
    players.push(player);
  }
  const { page } = players[0] ?? assert.fail('no tab');
  const protocol = await page.evaluate(
    'performance.getEntriesByType("navigation")[0].nextHopProtocol',
  );
  assert.equal(protocol, 'http/1.1');
  await stage.assertUnharmed(Object.fromEntries(players.entries()));
  await crash(host.page);
  for (const player of players) await player.waitForState('away');
  // A tab that had a stream goes: another one takes its place, and nobody is the worse for it.
  await page.close();
  const rest = players.slice(1);
  await pause(REST_MS / 3);
  for (const player of rest) {
    assert.equal((await player.state()).kind, 'away');
    assert.equal((await player.records()).sessionsClosed, 0);
  }
});
