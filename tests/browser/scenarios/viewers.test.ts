import assert from 'node:assert/strict';
import { NarrowPath } from '../src/narrow-path.ts';
import type { PanelPage } from '../src/pages.ts';
import { PlainChromium } from '../src/plain.ts';
import { type Stage, scenario } from '../src/stage.ts';
import { until } from '../src/until.ts';

/** Less than the scene takes at the quality of new broadcasts, and enough for a lighter version of it. */
const NARROW = { kbps: 500, rttMs: 40 };
/** So small that two encoders and three decoders go along on two cores. */
const SIZE = { width: 480, height: 270 };
const NOISE = 240;
const AWAY = '.viewers-slow li[data-state="away"]';
/** On one machine; people would call the broadcast broken from here on. */
const LATENCY_MS = 2_000;

scenario('the panel says who watches, how late, and who has less of it and why', async (stage) => {
  const { relay, broadcast } = stage;
  const admin = await stage.chromium({ scene: { noise: NOISE } });
  const panel = await admin.openPanel(relay, broadcast.publishToken);
  const host = await panel.shareAt(SIZE);
  await host.waitUntilLive();
  // It is cheap, and takes bits for what moves.
  await panel.choose('Frame rate', 15);
  await panel.choose('Codec', 'vp8');
  await says(panel, '.viewers', 'Nobody watches yet.');
  await says(panel, '.troubles', 'The link for viewers leads to this computer only');

  const audience = await stage.chromium();
  const ada = await relay.invite(broadcast.id, 'Ada');
  const named = await audience.openPlayer(relay, ada, { places: null, apart: true });
  const webrtc = { places: null, apart: true, webTransport: 'none' as const };
  await audience.openPlayer(relay, broadcast.playToken, webrtc);
  await named.waitForState('live');
  await says(panel, '.viewers', '1 over WebTransport · 1 over WebRTC');
  await says(panel, '.viewers-states', '2 live');
  await isGone(panel, '.troubles li[data-tone="plain"]');

  await openSlow(stage);
  await says(panel, '.viewers', '2 over WebTransport · 1 over WebRTC');
  const light =
    /Viewer \d+.*WebTransport.*Its network carries \d+ kbit\/s: it gets a lighter version/;
  await says(panel, '.viewers-slow li[data-state="light"]', light);
  await says(panel, '.viewers-states', '1 on a lighter version');

  const latency = await latencyOn(panel);
  stage.note(`half within ${latency.p50} ms, 95 of 100 within ${latency.p95} ms`);
  assert.ok(latency.p50 > 0 && latency.p95 >= latency.p50 && latency.p95 < LATENCY_MS);
  await until('all of them to say so, over either transport', async () => {
    return (await panel.page.locator('.latency-note').textContent())?.trim() === '';
  });
});

const WITHOUT_WEBTRANSPORT = 'delete globalThis.WebTransport; delete globalThis.WebSocket';

scenario(
  'viewers whose pages are hidden are away, over both transports, and back when seen',
  async (stage) => {
    const { relay, broadcast } = stage;
    const admin = await stage.chromium();
    const panel = await admin.openPanel(relay, broadcast.publishToken);
    const host = await panel.shareAt(SIZE);
    await host.waitUntilLive();
    // As fast as two decoders of pages that nobody sees go along here.
    await panel.choose('Frame rate', 15);
    const browser = stage.closeLater(await PlainChromium.launch());
    const ada = await browser.openPlayer(relay, await relay.invite(broadcast.id, 'Ada'));
    await says(panel, '.viewers-states', '1 live');
    await latencyOn(panel);
    const token = await relay.invite(broadcast.id, 'Grace');
    const grace = await browser.openPlayer(relay, token, WITHOUT_WEBTRANSPORT);
    await grace.bringToFront();
    await says(panel, AWAY, /^Ada.*WebTransport.*Its page is hidden/);
    assert.equal(await ada.evaluate(() => document.visibilityState), 'hidden');
    await says(panel, '.viewers-states', /1 live.*1 away/);
    const decoded = await decodedBy(ada);
    await until('pictures to come to the hidden page', async () => {
      return (await decodedBy(ada)) > decoded + 30;
    });

    const cover = await browser.openTab();
    await says(panel, `${AWAY}:nth-child(2)`, /^Grace.*WebRTC.*Its page is hidden/);
    await says(panel, '.viewers-states', /0 live.*2 away/);
    await cover.close();
    await grace.bringToFront();
    await says(panel, '.viewers-states', /1 live.*1 away/);
    await says(panel, AWAY, /^Ada/);
    await ada.bringToFront();
    await says(panel, AWAY, /^Grace/);
  },
);

function decodedBy(page: { evaluate(expression: string): Promise<unknown> }): Promise<number> {
  return page.evaluate('window.steadycast.records().framesDecoded') as Promise<number>;
}

async function openSlow(stage: Stage): Promise<void> {
  const { relay, broadcast } = stage;
  const path = stage.closeLater(await NarrowPath.start(relay.origin, NARROW));
  const browser = await stage.chromium();
  const options = { places: null, webTransport: 'alone' as const };
  await browser.openPlayer(path, broadcast.playToken, options);
}

/** Waits until a part of the panel says this. */
async function says({ page }: PanelPage, part: string, text: string | RegExp): Promise<void> {
  const said = () => page.locator(part).first().textContent({ timeout: 1_000 });
  await until(`${part} to say ${text}`, async () => {
    const now = ((await said()) ?? '').replaceAll(/\s+/g, ' ');
    const found = typeof text === 'string' ? now.includes(text) : text.test(now);
    if (!found) throw new Error(`it says: ${now}`);
    return true;
  });
}

async function isGone({ page }: PanelPage, part: string): Promise<void> {
  await until(`${part} to go`, async () => (await page.locator(part).count()) === 0);
}

async function latencyOn({ page }: PanelPage): Promise<{ p50: number; p95: number }> {
  return until('a latency', async () => {
    const read = async (line: string) => {
      const figure = page.locator(`.latency-now [data-line="${line}"] dd`);
      return Number.parseInt((await figure.textContent({ timeout: 1_000 })) ?? '', 10);
    };
    const [p50, p95] = [await read('p50'), await read('p95')];
    return Number.isNaN(p50) || Number.isNaN(p95) ? null : { p50, p95 };
  });
}
