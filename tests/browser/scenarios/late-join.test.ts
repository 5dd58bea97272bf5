import assert from 'node:assert/strict';
import type { PlayerPage } from '../src/pages.ts';
import { scenario } from '../src/stage.ts';
import { until } from '../src/until.ts';

/** Far above the promise of 150 ms, which the benchmark measures: this also runs beside a compiler. */
const FIRST_PICTURE_MS = 1_500;
/** Of more than thirty in the group. */
const MOST_TO_THE_LAST = 4;

scenario('a late joiner sees a moving screen at once, and no fast-forward', async (stage) => {
  const { relay, broadcast } = stage;
  const admin = await stage.chromium();
  const host = await admin.openHost(relay, broadcast.publishToken);
  await host.waitUntilLive();
  const early = await admin.openPlayer(relay, broadcast.playToken);
  await early.waitForPicture();
  // A group long enough that a joiner has something to catch up with.
  await until('a longer group', async () => (await stage.snapshot()).cache.frames > 60);
  const late = await admin.openPlayer(relay, broadcast.playToken);
  const first = await firstLook(late);
  const { firstPictureMs, shown, framesDecoded } = await until('more pictures', async () => {
    const records = await late.records();
    return records.framesShown > 20 ? records : null;
  });
  stage.note(
    `first picture after ${firstPictureMs?.toFixed()} ms, the first code seen was ${first.ageMs} ms old; ${framesDecoded} decoded, ${shown.length} shown`,
  );
  assert.ok((firstPictureMs ?? Infinity) < FIRST_PICTURE_MS);
  const old = shown.filter(({ captureUs, shownUs }) => shownUs - captureUs > 1_000_000);
  assert.ok(old.length <= 1, 'no fast-forward: one picture to begin with, then the current one');
  assert.ok(framesDecoded - shown.length > 30, 'what was old is decoded, but not shown');
  await stage.assertUnharmed({ early, late });
});

scenario('a late joiner sees a static screen at once, to the pixel', async (stage) => {
  const { relay, broadcast } = stage;
  const admin = await stage.chromium();
  const host = await admin.openHost(relay, broadcast.publishToken);
  await host.waitUntilLive();
  await host.setScene({ moving: false });
  const early = await admin.openPlayer(relay, broadcast.playToken);
  await early.waitForState('static');
  await host.waitFor('at rest', ({ motion }) => motion === 'still');
  const before = await stage.snapshot();

  const late = await admin.openPlayer(relay, broadcast.playToken);
  const first = await firstLook(late);
  await late.waitForState('static');
  const { firstPictureMs } = await late.records();
  const measured = await late.measure();
  const after = await stage.snapshot();
  const asked = after.totals.keyframeRequests - before.totals.keyframeRequests;
  stage.note(
    `first picture after ${firstPictureMs?.toFixed()} ms; ${measured?.rows} rows and ${measured?.columns} columns of the ruler right; ${asked} keyframes asked for`,
  );
  assert.ok((firstPictureMs ?? Infinity) < FIRST_PICTURE_MS);
  assert.equal(first.clock, (await early.witness()).newest?.clock, 'the same picture');
  const whole = { x: 0, y: 0, width: 640, height: 360, rows: 28, columns: 32 };
  assert.deepEqual(measured, whole, 'every pixel of the ruler is right');
  assert.equal(asked, 0, 'served from the cache');
  await stage.assertUnharmed({ early, late });
});

scenario('a late joiner sees the last picture of an admin who is away', async (stage) => {
  const { relay, broadcast } = stage;
  const admin = await stage.chromium();
  const host = await admin.openHost(relay, broadcast.publishToken);
  await host.waitUntilLive();
  const early = await admin.openPlayer(relay, broadcast.playToken);
  await early.waitForPicture();
  await until('a group to catch up with', async () => (await stage.snapshot()).cache.frames > 30);
  await host.page.close();
  await early.waitForState('away');

  const late = await admin.openPlayer(relay, broadcast.playToken);
  await late.waitForState('away');
  const last = (await early.witness()).newest?.clock;
  await until('the last picture', async () => (await late.witness()).newest?.clock === last);
  const { firstPictureMs, shown } = await until('it in the records', async () => {
    const { firstPictureMs, shown } = await late.records();
    return firstPictureMs === null ? null : { firstPictureMs, shown };
  });
  stage.note(`first picture after ${firstPictureMs.toFixed()} ms, ${shown.length} shown`);
  assert.ok(firstPictureMs < FIRST_PICTURE_MS);
  // A slow machine shows one on the way, since a page without a picture takes what there is.
  assert.ok(shown.length <= MOST_TO_THE_LAST, 'what was before is not played again');
  await stage.assertUnharmed({ early, late });
});

function firstLook(player: PlayerPage) {
  return until('a first code', async () => (await player.witness()).first);
}
