import type { Chromium } from '../src/chromium.ts';
import { openDesk } from '../src/desk.ts';
import { linksOf, PRIVATE_RELAY } from '../src/private-links.ts';
import { Relay } from '../src/relay.ts';
import { shoot, shootAll } from './camera.ts';
import { MAP_SIZE } from './map.ts';

/** A private broadcast: where it is made, who has its key, and who has not. */
export async function showPrivate(admin: Chromium, viewers: Chromium): Promise<void> {
  const relay = await Relay.start({ flags: [...PRIVATE_RELAY] });
  try {
    const desk = await viewers.context.newPage();
    await openDesk(desk, relay);
    await desk.getByLabel('Title of a new broadcast').fill('Our table');
    await desk.getByLabel('Only people with the link can see it').check();
    await shootAll(desk, 'desk-private');
    await desk.close();

    const broadcast = await relay.createBroadcast('Our table');
    const { publish, play } = linksOf({ broadcast });
    const panel = await admin.openPanel(relay, publish);
    const host = await panel.share();
    await host.page.setViewportSize(MAP_SIZE);
    await host.waitUntilLive();
    await shoot(panel.page, 'panel-private');
    const player = await viewers.openPlayer(relay, play, { places: null });
    await player.waitForState('live');
    await player.page.mouse.move(640, 400);
    await player.page.mouse.move(640, 420);
    await shoot(player.page, 'player-private');
    await player.page.keyboard.press('i');
    await shootAll(player.page, 'player-private-details');
    for (const [name, link] of [
      ['player-private-no-key', broadcast.playToken],
      ['player-private-other-key', linksOf({ broadcast }).play],
    ] as const) {
      const other = await viewers.openPlayer(relay, link, { places: null, apart: true });
      await other.waitForState('locked');
      await shootAll(other.page, name);
      await other.page.close();
    }
  } finally {
    await relay.remove();
  }
}
