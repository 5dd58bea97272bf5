import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { OtherOrigin } from '../src/other-origin.ts';
import { PlayerPage } from '../src/pages.ts';
import { type Stage, scenario } from '../src/stage.ts';
import { doom, type WebTransportFate } from '../src/transports.ts';
import { until } from '../src/until.ts';
import { UNCROPPED, witnessScript } from '../src/witness.ts';

/** What the page has said of its own looks, which are to stay. */
const LOOKS = `
  body { margin: 0; background: rgb(1, 2, 3); font: 20px/1 serif; }
  h1, p, .button, .badge, .card { margin: 3px; color: rgb(4, 5, 6); font-size: 17px; }
  main { position: fixed; top: 360px; }
  steadycast-player { position: absolute; width: 640px; height: 360px; }
`;

async function openPlainPage(stage: Stage, fate: WebTransportFate): Promise<Page> {
  const { relay, broadcast } = stage;
  const app = stage.closeLater(
    await OtherOrigin.start((files) => ({
      policy: [
        "default-src 'none'; style-src 'unsafe-inline'",
        `script-src ${files}; worker-src blob: ${files}`,
        `connect-src ${relay.origin} ${relay.origin.replace('http:', 'https:')}`,
      ].join('; '),
      html: `<!doctype html><html data-theme="its own"><style>${LOOKS}</style>
        <script type="module" src="${files}/element.js"></script>
        <steadycast-player relay="${relay.origin}" token="${broadcast.playToken}"></steadycast-player>
        <main><h1>Ours</h1><p class="card">ours <b class="badge button">too</b></p></main>`,
    })),
  );
  const audience = await stage.chromium({ viewport: { width: 640, height: 480 } });
  const page = await audience.context.newPage();
  await doom(page, fate);
  await page.addInitScript({ content: witnessScript([UNCROPPED]) });
  await page.goto(app.origin);
  return page;
}

const TRANSPORTS = [
  { fate: 'works', transport: 'webtransport' },
  { fate: 'none', transport: 'whep' },
] as const satisfies { fate: WebTransportFate; transport: string }[];

for (const { fate, transport } of TRANSPORTS) {
  scenario(`a plain page of another origin plays, over ${transport}`, async (stage) => {
    const { relay, broadcast } = stage;
    const admin = await stage.chromium();
    const host = await admin.openHost(relay, broadcast.publishToken);
    await host.waitUntilLive();
    const page = await openPlainPage(stage, fate);
    const player = page.locator('steadycast-player');
    await until('the code of the screen to be read', async () => {
      const { read } = await new PlayerPage(page).witness();
      return read > 20;
    });
    const { unread, newest } = await new PlayerPage(page).witness();
    assert.ok((newest?.ageMs ?? Infinity) < 5_000, 'the picture is that of now');
    const said = await player.evaluate((element) => {
      const { service } = element as HTMLElement & {
        service: { snapshot(): { transport: string | null; records: { picture: unknown } } };
      };
      const { transport, records } = service.snapshot();
      const { width, height } = records.picture as { width: number; height: number };
      return { transport, width, height };
    });
    assert.deepEqual(said, { transport, width: 640, height: 360 });
    stage.note(`${unread} looks saw a picture without the code`);
    const looks = await page.evaluate(() => {
      const of = (name: string) => {
        const element = document.querySelector(name);
        if (element === null) throw new Error(`there is no ${name}`);
        const { color, fontSize, fontFamily, marginTop, padding } = getComputedStyle(element);
        return { color, fontSize, fontFamily, marginTop, padding };
      };
      const { background, margin } = getComputedStyle(document.body);
      return { body: [background.slice(0, 12), margin], own: ['h1', 'p', '.button'].map(of) };
    });
    assert.deepEqual(looks.body, ['rgb(1, 2, 3)', '0px']);
    for (const own of looks.own) {
      assert.deepEqual(own, {
        color: 'rgb(4, 5, 6)',
        fontSize: '17px',
        fontFamily: 'serif',
        marginTop: '3px',
        padding: '0px',
      });
    }
    const theme = await page.evaluate(() => document.documentElement.dataset['theme']);
    assert.equal(theme, 'its own');
    await page.keyboard.press('i');
    await player.locator('.player-details').waitFor();
    assert.equal(await player.locator('.theme-choice').count(), 0, 'the theme is the page’s own');
  });
}
