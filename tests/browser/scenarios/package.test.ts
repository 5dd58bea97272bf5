import assert from 'node:assert/strict';
import { after } from 'node:test';
import type { BrowserContext, Page } from 'playwright-core';
import { App } from '../src/app.ts';
import { crash } from '../src/chromium.ts';
import { Firefox } from '../src/firefox.ts';
import { OtherOrigin } from '../src/other-origin.ts';
import { type HostPage, PlayerPage } from '../src/pages.ts';
import { type Stage, scenario } from '../src/stage.ts';
import { doom, type WebTransportFate } from '../src/transports.ts';
import { until } from '../src/until.ts';
import { WebServer } from '../src/web-server.ts';
import { UNCROPPED, witnessScript } from '../src/witness.ts';

const TRANSPORTS = [
  { fate: 'works', transport: 'webtransport' },
  { fate: 'none', transport: 'whep' },
] as const satisfies { fate: WebTransportFate; transport: string }[];

/** The app of `tests/react-app`, with the package as npm installs it: made once, and built for each relay. */
let made: Promise<App> | null = null;

async function reactApp(): Promise<App> {
  const app = await App.copyOf('tests/react-app');
  await app.installPackage();
  await app.typecheck();
  return app;
}

after(async () => (await made)?.close());

/** The capture window is to have a process of its own. */
const APART = { 'cross-origin-opener-policy': 'noopener-allow-popups' };

async function serveApp(stage: Stage): Promise<string> {
  made ??= reactApp();
  const app = await made;
  await app.build({ VITE_RELAY: stage.relay.origin });
  const headersOf = (path: string) => (path === '/host' ? APART : {});
  return stage.closeLater(await WebServer.ofFolder(`${app.folder}/dist`, headersOf)).origin;
}

/** Has a page count how often it asks for the screen, and keep what it is told of windows. */
function countAsked(): void {
  const devices = navigator.mediaDevices;
  const ask = devices.getDisplayMedia.bind(devices);
  let asked = 0;
  devices.getDisplayMedia = (options) => {
    asked += 1;
    return ask(options);
  };
  Object.assign(window, { asked: () => asked });
}

const timesAsked = (page: Page) => page.evaluate('window.asked()') as Promise<number>;

/** The witness of this browser asks pages how they are, of which an app's says nothing. */
function tellNothing(): void {
  const steadycast = {
    state() {
      return { kind: 'unsaid' };
    },
  };
  Object.assign(window, { steadycast });
}

async function open(context: BrowserContext, address: string): Promise<Page> {
  const page = await context.newPage();
  await page.goto(address);
  return page;
}

async function openViewer(
  stage: Stage,
  address: string,
  fate: WebTransportFate,
): Promise<PlayerPage & { page: Page }> {
  const audience = await stage.chromium({ viewport: { width: 640, height: 480 } });
  const page = await audience.context.newPage();
  await doom(page, fate);
  await page.addInitScript({ content: witnessScript([UNCROPPED]) });
  await page.goto(address);
  return Object.assign(new PlayerPage(page), { page });
}

/** Clicks what shares; returns the window that opens for it, which is of the app. */
async function share(panel: Page, button: string): Promise<Page> {
  const opened = panel.context().waitForEvent('page');
  await panel.getByRole('button', { name: button }).first().click();
  const host = await opened;
  await host.waitForURL(new RegExp(`^${new URL(panel.url()).origin}/host`));
  return host;
}

scenario(
  'a React app of another origin shares and watches, over both transports',
  async (stage) => {
    const { relay, broadcast } = stage;
    const app = await serveApp(stage);
    const admin = await stage.chromium();
    await admin.context.addInitScript({ content: `(${countAsked})()` });
    const panel = await open(admin.context, `${app}/share#token=${broadcast.publishToken}`);
    await panel.setViewportSize({ width: 1280, height: 800 });
    const host = await share(panel, 'Share screen');
    await panel.getByText('Live', { exact: true }).first().waitFor();
    assert.deepEqual([await timesAsked(panel), await timesAsked(host)], [0, 1], 'one captures');
    assert.equal(await panel.getByText('This page itself is sharing').count(), 0);
    assert.ok(!host.url().includes('token='), 'the window’s address has no token');

    const watch = `${app}/play#token=${broadcast.playToken}`;
    const viewers = [];
    for (const { fate } of TRANSPORTS) {
      const viewer = await openViewer(stage, watch, fate);
      await viewer.waitForPicture();
      viewers.push(viewer);
    }
    const players = await until('both players to be counted by how they came', async () => {
      const { players, totals } = await stage.snapshot();
      return players === 2 ? totals : null;
    });
    assert.equal(players.playersJoined, 2);
    assert.equal((await viewers[0]?.page.evaluate('window.peers.length')) ?? null, 0);
    assert.equal((await viewers[1]?.page.evaluate('window.peers.length')) ?? null, 1);

    // The panel goes and comes again, and finds what has gone on without it.
    for (const viewer of viewers) await viewer.resetWitness();
    await panel.goto(`${app}/`);
    for (const viewer of viewers) await viewer.waitForPicture();
    await panel.goBack();
    await panel.getByText('Live', { exact: true }).first().waitFor();
    await panel.getByRole('button', { name: 'Stop sharing' }).waitFor();
    for (const viewer of viewers) {
      await viewer.waitForPicture();
      assert.equal((await viewer.witness()).blank, 0);
    }
    assert.equal((await stage.snapshot()).totals.publishersJoined, 1);
    assert.equal(await timesAsked(host), 1);

    const looks = await panel.evaluate(() => {
      const { backgroundColor } = getComputedStyle(document.body);
      const heading = document.querySelector('h1');
      if (heading === null) throw new Error('there is no heading');
      const { color, fontSize, fontFamily } = getComputedStyle(heading);
      return [backgroundColor, color, fontSize, fontFamily];
    });
    assert.deepEqual(looks, ['rgb(1, 2, 3)', 'rgb(4, 5, 6)', '17px', 'serif']);
    const button = panel.getByRole('button', { name: 'Stop sharing' });
    const colour = await button.evaluate((one) => getComputedStyle(one).backgroundColor);
    assert.notEqual(colour, 'rgba(0, 0, 0, 0)', 'the bundler has left the styles as they are');
    await panel.getByRole('button', { name: 'Stop sharing' }).click();
    await until('the capture window to be closed', async () => host.isClosed());
    stage.note(`${relay.origin} was used from ${app}`);
  },
);

scenario('Firefox watches in a React app of another origin', async (stage) => {
  const { relay, broadcast } = stage;
  const app = await serveApp(stage);
  const admin = await stage.chromium();
  const host = await admin.openHost(relay, broadcast.publishToken);
  await host.waitUntilLive();
  const firefox = stage.closeLater(await Firefox.launch());
  const lens = await admin.openLens();
  const player = await firefox.openPlayer(relay, broadcast.playToken, lens, app, tellNothing);
  await player.waitForPicture();
  await until('the player to be counted', async () => (await stage.snapshot()).players === 1);
});

scenario(
  'an app that mounts no capture page shares once, from its own page, and says so',
  async (stage) => {
    const { broadcast } = stage;
    const app = await serveApp(stage);
    const admin = await stage.chromium({ capture: 'monitor' });
    await admin.context.addInitScript({ content: `(${countAsked})()` });
    const panel = await open(admin.context, `${app}/share-here#token=${broadcast.publishToken}`);
    await panel.setViewportSize({ width: 1280, height: 800 });
    await panel.getByText('This page has to stay open').waitFor();
    await panel.getByRole('button', { name: 'Share screen' }).click();
    await panel.getByText('Live', { exact: true }).first().waitFor();
    await panel.getByText('This page itself is sharing').waitFor();
    assert.equal(await panel.getByText('pop-up').count(), 0);
    assert.equal(await panel.getByRole('button', { name: 'Move to a window' }).count(), 0);
    assert.equal(admin.context.pages().length, 1, 'no window has opened');
    assert.equal(await timesAsked(panel), 1);
    // What the app shows meanwhile is no matter of the share's.
    await panel.getByRole('button', { name: 'Elsewhere' }).click();
    await panel.getByRole('button', { name: 'Stop sharing' }).waitFor({ state: 'detached' });
    const before = await stage.snapshot();
    assert.equal(before.phase, 'live');
    await panel.getByRole('button', { name: 'Back' }).click();
    await panel.getByText('This page itself is sharing').waitFor();
    assert.equal((await stage.snapshot()).epoch, before.epoch);
    const { totals } = await stage.snapshot();
    assert.equal(totals.publishersJoined, 1);
  },
);

scenario('the hooks share and play without any looks of theirs', async (stage) => {
  const { broadcast } = stage;
  const app = await serveApp(stage);
  const admin = await stage.chromium();
  const panel = await open(admin.context, `${app}/share-bare#token=${broadcast.publishToken}`);
  await panel.setViewportSize({ width: 1280, height: 800 });
  const host = await share(panel, 'Begin');
  await panel.getByText('live null', { exact: true }).waitFor();
  const viewer = await openViewer(stage, `${app}/play-bare#token=${broadcast.playToken}`, 'works');
  await viewer.waitForPicture();
  await viewer.page.getByText('live 640', { exact: true }).waitFor();
  // Told of what is settled, which the share has then.
  const width = panel.getByLabel('Width', { exact: true });
  await width.fill('320');
  await width.press('Enter');
  await panel.getByText('live {"x":0,"y":0,"width":320,').waitFor();
  await viewer.page.getByText('live 320', { exact: true }).waitFor();
  await panel.getByRole('button', { name: 'End' }).click();
  await until('the capture window to be closed', async () => host.isClosed());
});

scenario('a crop is chosen of a stream that the app has captured', async (stage) => {
  const app = await serveApp(stage);
  const admin = await stage.chromium({ capture: 'monitor' });
  const page = await open(admin.context, `${app}/crop`);
  await page.setViewportSize({ width: 1000, height: 900 });
  assert.ok(await page.getByLabel('Width', { exact: true }).isDisabled(), 'nothing to be cropped');
  await page.getByRole('button', { name: 'Capture' }).click();
  const size = await until('the picture', () =>
    page.evaluate(() => {
      const { videoWidth, videoHeight } = document.querySelector('video') ?? {};
      return videoWidth ? { width: videoWidth, height: videoHeight ?? 0 } : null;
    }),
  );
  const box = await page.locator('.stage-touch').boundingBox();
  assert.ok(box !== null);
  const at = (part: number) => [box.x + box.width * part, box.y + box.height * part] as const;
  await page.mouse.move(...at(0.25));
  await page.mouse.down();
  await page.mouse.move(...at(0.6));
  assert.equal(await page.locator('output').textContent(), 'null', 'nothing is settled yet');
  await page.mouse.move(...at(0.75));
  await page.mouse.up();
  const crop = JSON.parse((await page.locator('output').textContent()) ?? 'null');
  for (const [side, name] of [
    [size.width, 'width'],
    [size.height, 'height'],
  ] as const) {
    assert.ok(Math.abs(crop[name] - side / 2) < side * 0.03, `${name} ${crop[name]} of ${side}`);
  }
  await page.keyboard.press('Control+z');
  await until('the crop to be taken back', async () => {
    return (await page.locator('output').textContent()) === 'null';
  });
});

/** What the page has said of its own looks, which are to stay. */
const LOOKS = `
  body { margin: 0; background: rgb(1, 2, 3); font: 20px/1 serif; }
  h1, p, .button, .badge, .card { margin: 3px; color: rgb(4, 5, 6); font-size: 17px; }
  main { position: fixed; top: 360px; }
  steadycast-player { position: absolute; width: 640px; height: 360px; }
`;

async function servePlainPages(stage: Stage): Promise<string> {
  const { relay, broadcast } = stage;
  const pages = await OtherOrigin.start((files) => {
    const headers = {
      'content-security-policy': [
        "default-src 'none'; style-src 'unsafe-inline'; img-src blob:",
        `script-src ${files}; worker-src blob: ${files}`,
        `connect-src ${relay.origin} ${relay.origin.replace('http:', 'https:')}`,
      ].join('; '),
    };
    const script = `<script type="module" src="${files}/element.js"></script>`;
    const page = (body: string, more = {}) => ({
      headers: { ...headers, ...more },
      body: `<!doctype html><html data-theme="its own"><style>${LOOKS}</style>${script}${body}`,
    });
    const of = `relay="${relay.origin}"`;
    return {
      '/play': page(`<steadycast-player ${of} token="${broadcast.playToken}"></steadycast-player>
        <main><h1>Ours</h1><p class="card">ours <b class="badge button">too</b></p></main>`),
      '/share': page(
        `<steadycast-panel ${of} token="${broadcast.publishToken}" host-page="/host"></steadycast-panel>`,
      ),
      '/host': page(`<steadycast-host ${of}></steadycast-host>`, APART),
    };
  });
  return stage.closeLater(pages).origin;
}

scenario('plain pages of another origin share', async (stage) => {
  const { relay, broadcast } = stage;
  const pages = await servePlainPages(stage);
  const admin = await stage.chromium();
  const panel = await open(admin.context, `${pages}/share`);
  await panel.setViewportSize({ width: 1280, height: 800 });
  const host = await share(panel, 'Share screen');
  await panel.getByText('Live', { exact: true }).first().waitFor();
  const audience = await stage.chromium();
  const viewer = await audience.openPlayer(relay, broadcast.playToken);
  await viewer.waitForPicture();
  await crash(panel);
  await viewer.waitForPicture();
  await host.getByRole('button', { name: 'Stop sharing' }).click();
  await viewer.waitForState('paused');
  await until('the capture window to be closed', async () => host.isClosed());
});

for (const { fate, transport } of TRANSPORTS) {
  scenario(`a plain page of another origin plays, over ${transport}`, async (stage) => {
    const { relay, broadcast } = stage;
    const admin = await stage.chromium();
    const host: HostPage = await admin.openHost(relay, broadcast.publishToken);
    await host.waitUntilLive();
    const { page } = await openViewer(stage, `${await servePlainPages(stage)}/play`, fate);
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
    // What plays it is of another origin as well.
    await until('sound', () =>
      player.evaluate((element) => {
        const { service } = element as HTMLElement & {
          service: { snapshot(): { records: { sound: { playedMs: number } | null } } };
        };
        return (service.snapshot().records.sound?.playedMs ?? 0) > 0;
      }),
    );
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
