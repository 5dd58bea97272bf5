import assert from 'node:assert/strict';
import { scenario } from '../src/stage.ts';
import { until } from '../src/until.ts';
import { WhipPage } from '../src/whip.ts';

const SIZE = { width: 1280, height: 720 };
/** It takes a second; unless a browser is told what its path carries, it takes half a minute. */
const FULL_SIZE_WITHIN_MS = 10_000;

scenario('a browser that publishes over WHIP is at full size at once', async (stage) => {
  const { relay, broadcast } = stage;
  const chromium = await stage.chromium();
  const player = await chromium.openPlayer(relay, broadcast.playToken);
  const whip = await WhipPage.open(chromium, relay, broadcast, SIZE);
  await player.waitForState('live');
  const widths = new Set<number>();
  const whole = async () => {
    const width = (await player.records()).picture?.width ?? 0;
    widths.add(width);
    return width === SIZE.width;
  };
  await until('the whole picture', whole, { withinMs: FULL_SIZE_WITHIN_MS });
  const { atMs, estimateKbps, limitedBy } = await whip.sent();
  stage.note(
    `${(atMs / 1000).toFixed(1)} s: widths ${[...widths].join(', ')}; its estimate is ${estimateKbps.toFixed()} kbit/s, limited by ${limitedBy}`,
  );
  const { decoderErrors, sessionsClosed, blackFrames } = await player.records();
  assert.deepEqual([decoderErrors, sessionsClosed, blackFrames], [0, 0, 0]);
});
