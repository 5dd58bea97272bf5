/** An open page of the version before survives the relay's upgrade (PROTOCOL 2.11). */

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { ms } from '../src/checks.ts';
import { serveOldPages, VERSIONS } from '../src/old-pages.ts';
import type { PlayerPage } from '../src/pages.ts';
import { sceneScript } from '../src/scene.ts';
import { type Stage, scenario } from '../src/stage.ts';

const WHEP = { webTransport: 'none' } as const;

for (const version of VERSIONS) {
  scenario(`pages of version ${version} survive the relay's upgrade`, async (stage) => {
    const { relay } = stage;
    const links = await linksOfBefore(stage);
    const browser = await stage.chromium();
    browser.bareLinks = true;
    const upgrade = await serveOldPages(browser.context, version);
    const panel = await browser.openPanel(relay, links.publish);
    const host = await panel.share();
    await host.waitUntilLive();
    // In a window that a page opens, the browser may go on with the empty one that was there before
    // when it is served from here: what was to begin with the page has begun too early then.
    if (!(await host.page.evaluate('"scene" in window'))) await host.page.evaluate(sceneScript());
    const scene = await host.scene();
    const player = await browser.openPlayer(relay, links.play);
    const other = await browser.openPlayer(relay, links.play, WHEP);
    await player.waitForPicture();
    await other.waitForPicture();
    assert.equal(await player.transport(), 'webtransport');
    assert.equal(await other.transport(), 'whep');

    const players = { player, other };
    await restart(stage, players, scene, upgrade);
    await panel.waitForState('live');
    await assertWatched(stage, players);
    assert.deepEqual(await spoken(stage), { publisher: [version], player: [version] });
  });

  scenario(
    `players of version ${version} watch a host of now, and the other way`,
    async (stage) => {
      const { relay, broadcast } = stage;
      const links = await linksOfBefore(stage);
      const oldBrowser = await stage.chromium();
      oldBrowser.bareLinks = true;
      const newBrowser = await stage.chromium();
      const upgrade = await serveOldPages(oldBrowser.context, version);
      const panel = await newBrowser.openPanel(relay, broadcast.publishToken);
      const host = await panel.share();
      await host.waitUntilLive();
      const player = await oldBrowser.openPlayer(relay, links.play);
      const other = await oldBrowser.openPlayer(relay, links.play, WHEP);
      const players = { player, other };
      for (const page of Object.values(players)) await page.waitForPicture(0, await host.scene());
      const now = (await spoken(stage)).publisher;
      assert.deepEqual(await spoken(stage), { publisher: now, player: [version] });
      assert.ok(
        now.every((spoken) => spoken > version),
        `the host speaks ${now}`,
      );

      // The panel's own window is closed: a second host takes over, of the other version.
      const older = await oldBrowser.openHost(relay, links.publish);
      await older.waitUntilLive();
      const scene = await older.scene();
      const newer = await newBrowser.openPlayer(relay, broadcast.playToken);
      for (const page of [player, other, newer]) await page.waitForPicture(0, scene);
      await restart(stage, { ...players, newer }, scene, upgrade);
      await assertWatched(stage, { ...players, newer });
      assert.deepEqual(await spoken(stage), {
        publisher: [...now, version].sort(),
        player: [...now, version].sort(),
      });
    },
  );
}

/** The links that such pages were opened with: those of relays up to 0.1 (PROTOCOL 6.4). */
async function linksOfBefore({
  relay,
  broadcast: { id },
}: Stage): Promise<{ publish: string; play: string }> {
  const forge = (role: 'publish' | 'play') =>
    relay.forge({ broadcast: id, role, expiresInS: 3_600 });
  return { publish: await forge('publish'), play: await forge('play') };
}

/** Stops the relay and starts it again; everybody is back by themselves. */
async function restart(
  stage: Stage,
  players: Record<string, PlayerPage>,
  scene: number,
  upgrade: () => Promise<void>,
): Promise<void> {
  const pages = Object.values(players);
  await stage.relay.stop();
  for (const page of pages) await page.waitForState('reconnecting');
  // What the old pages were made of is not there any more.
  await upgrade();
  await stage.relay.startAgain();
  const startedMs = Date.now();
  for (const [name, page] of Object.entries(players)) {
    const look = await page.waitForPicture(startedMs, scene);
    await page.waitForState('live');
    stage.note(`${name}: a new picture ${ms(look.atMs - startedMs)} after the relay was back`);
  }
}

/** By what everybody sees and the relay counts: an old page's own records are not like those of now. */
async function assertWatched(stage: Stage, players: Record<string, PlayerPage>): Promise<void> {
  for (const [name, page] of Object.entries(players)) {
    const { read, blank, backwards } = await page.witness();
    assert.ok(read > 0, `${name}: no code was ever read from its pixels`);
    assert.deepEqual({ blank, backwards }, { blank: 0, backwards: 0 }, name);
  }
  const { players: here, totals } = await stage.snapshot();
  assert.equal(here, Object.keys(players).length, 'everybody is back');
  assert.deepEqual(totals.playersLeft, {}, 'nobody left the new relay');
  assert.equal(totals.publishersJoined, 1, 'the host came back once');
}

/** The versions that the relay's sessions over WebTransport spoke, by role. */
async function spoken({ relay }: Stage): Promise<{ publisher: number[]; player: number[] }> {
  const log = await readFile(relay.logPath, 'utf8');
  const found = { publisher: new Set<number>(), player: new Set<number>() };
  for (const line of log.split('\n')) {
    const role = /role=(Publisher|Player)\b/.exec(line)?.[1]?.toLowerCase();
    const version = /\bversion=(\d+)/.exec(line)?.[1];
    if (version !== undefined && (role === 'publisher' || role === 'player')) {
      found[role].add(Number(version));
    }
  }
  return { publisher: [...found.publisher].sort(), player: [...found.player].sort() };
}
