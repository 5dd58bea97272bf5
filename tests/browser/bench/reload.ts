/** The panel reloaded while live: the largest gap between two frames at the relay. */

import { Chromium } from '../src/chromium.ts';
import { PanelPage } from '../src/pages.ts';
import type { Relay } from '../src/relay.ts';
import { print, type Row } from './figures.ts';

export async function measureReloads(relay: Relay, reloads: number): Promise<Row[]> {
  const broadcast = await relay.createBroadcast('Reloads');
  const browser = await Chromium.launch();
  try {
    const panel = await browser.openPanel(relay, broadcast.publishToken);
    const host = await panel.share();
    await host.waitUntilLive();
    for (let reload = 0; reload < reloads; reload += 1) {
      await panel.page.reload();
      await new PanelPage(panel.page).waitForPresence('present');
    }
    const { totals, epoch } = await relay.snapshot(broadcast.id);
    const rows = [
      {
        what: `largest gap, ${totals.framesReceived} frames, ${epoch} epoch`,
        measured: `${(totals.largestGapUs / 1_000).toFixed(1)} ms`,
        goal: '<= 150 ms',
      },
    ];
    print(`Panel reloaded ${reloads} times while live`, rows);
    return rows;
  } finally {
    await browser.close();
  }
}
