import assert from 'node:assert/strict';
import { ms } from '../src/checks.ts';
import type { PlayerTab } from '../src/chromium.ts';
import { NarrowPath } from '../src/narrow-path.ts';
import { scenario } from '../src/stage.ts';
import { until } from '../src/until.ts';

const PATH = { kbps: 400, rttMs: 300 };
const JOINING_MS = 1_500;
const FIRST_PICTURE_MS = 6_000;

scenario(
  'over 400 kbit/s and 300 ms the page says Joining at once, and a picture comes soon',
  async (stage) => {
    const { relay, broadcast } = stage;
    const admin = await stage.chromium();
    const host = await admin.openHost(relay, broadcast.publishToken);
    await host.waitUntilLive();
    await host.setScene({ moving: false });
    await host.waitFor('at rest', ({ motion }) => motion === 'still');
    const audience = await stage.chromium();
    const path = stage.closeLater(await NarrowPath.start(relay.origin, PATH));
    const player = await audience.openPlayer(path, broadcast.playToken);
    const joiningMs = await until('something to be painted', () => firstPaint(player));
    const said = await player.page.locator('.player-title').first().textContent();
    const bytes = await until('a first picture', async () => {
      return (
        (await player.hasWitness()) && (await player.witness()).first !== null && path.bytesDown
      );
    });
    const pictureMs = await player.page.evaluate(
      () => (window.witness?.report().first?.atMs ?? 0) - performance.timeOrigin,
    );
    const loaded = await transferred(player);
    stage.note(
      `"${said}" after ${ms(joiningMs)}, the first picture after ${ms(pictureMs)}; the page is ${loaded} bytes, ${bytes} came down until then`,
    );
    assert.equal(said, 'Joining…');
    assert.ok(joiningMs < JOINING_MS);
    assert.ok(pictureMs < FIRST_PICTURE_MS);
  },
);

function firstPaint({ page }: PlayerTab): Promise<number | null> {
  return page.evaluate(() => {
    const [paint] = performance.getEntriesByName('first-contentful-paint');
    return paint?.startTime ?? null;
  });
}

/** What the page and its parts were on their way, headers included. */
function transferred({ page }: PlayerTab): Promise<number> {
  return page.evaluate(() =>
    ['navigation', 'resource']
      .flatMap((kind) => performance.getEntriesByType(kind))
      .reduce((sum, entry) => sum + ((entry as PerformanceResourceTiming).transferSize ?? 0), 0),
  );
}
