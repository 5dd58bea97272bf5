/** Firefox without a screen, driven by Puppeteer over WebDriver BiDi. */

import { join } from 'node:path';
import type { Page as LensPage } from 'playwright-core';
import { type Browser, launch, type Page } from 'puppeteer-core';
import { keepPages } from './keep.ts';
import { linkTo } from './links.ts';
import type { NullSink } from './null-sink.ts';
import { PlayerPage } from './pages.ts';
import type { Relay } from './relay.ts';
import { pause } from './until.ts';

const EXECUTABLE = process.env['FIREFOX'] ?? '/usr/bin/firefox-esr';
/** How long a screenshot may stop the page for a worker's canvas; it lacks that then. */
const SNAPSHOT_MS = 100;
/** Between two screenshots. */
const EVERY_MS = 30;

/** Nothing may reach beyond this machine, not even in the attempt. */
const PREFERENCES = {
  'app.normandy.enabled': false,
  'app.update.disabledForTesting': true,
  'browser.region.network.url': '',
  'browser.search.update': false,
  'browser.topsites.contile.enabled': false,
  'datareporting.healthreport.uploadEnabled': false,
  'dom.push.connection.enabled': false,
  // A screenshot asks the worker for its canvas and stops the whole page meanwhile: for 10 s by
  // default where the worker is just waiting for the page.
  'gfx.offscreencanvas.snapshot-timeout-ms': SNAPSHOT_MS,
  'messaging-system.rsexperimentloader.enabled': false,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'network.proxy.type': 0,
  'network.trr.mode': 5,
  'services.settings.server': 'data:,',
  'toolkit.telemetry.server': 'data:,',
};

const HEARD = {
  'media.autoplay.default': 0,
  'media.autoplay.blocking_policy': 0,
};

export class Firefox {
  readonly #browser: Browser;

  private constructor(browser: Browser) {
    this.#browser = browser;
  }

  /** `sink`: where it is heard, before anybody has touched a page; without one it plays no sound at all. */
  static async launch(sink?: NullSink): Promise<Firefox> {
    const heard = sink !== undefined;
    const browser = await launch({
      browser: 'firefox',
      executablePath: EXECUTABLE,
      headless: true,
      // That of a relay for development.
      acceptInsecureCerts: true,
      extraPrefsFirefox: { ...PREFERENCES, ...(heard && HEARD) },
      ...(heard && { env: { ...process.env, PULSE_SERVER: sink.server } }),
    });
    return new Firefox(browser);
  }

  version(): Promise<string> {
    return this.#browser.version();
  }

  /** Its pixels are watched through `lens`: see {@link FirefoxPlayer}; `prepare` runs before all. */
  async openPlayer(
    relay: Pick<Relay, 'origin'>,
    token: string,
    lens: LensPage,
    origin = relay.origin,
    prepare?: (() => void) | string,
  ): Promise<FirefoxPlayer> {
    const page = await this.#browser.newPage();
    if (prepare !== undefined) await page.evaluateOnNewDocument(prepare);
    await page.setViewport({ width: 640, height: 360 });
    await page.goto(linkTo(origin, 'play', token));
    return new FirefoxPlayer(page, lens);
  }

  /** The panel, which shares nothing here. */
  async openPanel(relay: Relay, token: string): Promise<Page> {
    const page = await this.#browser.newPage();
    await page.goto(linkTo(relay.origin, 'admin', token));
    return page;
  }

  async keep(directory: string): Promise<void> {
    await keepPages(this.#browser, join(directory, 'firefox'));
  }

  async close(): Promise<void> {
    await this.#browser.close();
  }
}

/**
 * A player in Firefox. To read a canvas that a worker draws can hang this browser for half a minute,
 * so its witness sees screenshots instead, which a page of another browser opens for it. On a busy
 * machine a screenshot may lack such a canvas, or a part of it, and show the bare page there: that
 * is none of the picture. Whether the canvas itself was ever empty its worker knows, and records.
 */
export class FirefoxPlayer extends PlayerPage {
  readonly page: Page;

  constructor(page: Page, lens: LensPage) {
    super(page, lens);
    this.page = page;
    void this.#watch(lens);
  }

  async #watch(lens: LensPage): Promise<void> {
    while (!this.page.isClosed()) {
      try {
        const { kind } = await this.state();
        const bare = await this.page.evaluate(
          () => getComputedStyle(document.body).backgroundColor,
        );
        const picture = await this.page.screenshot({ encoding: 'base64' });
        await lens.evaluate(showPicture, { picture, kind, bare });
      } catch {
        // Not there yet, or gone.
      }
      await pause(EVERY_MS);
    }
  }
}

/** Runs in the lens. `bare` is the colour of the page below the picture. */
async function showPicture({
  picture,
  kind,
  bare,
}: {
  picture: string;
  kind: string;
  bare: string;
}): Promise<void> {
  Object.assign(window, { steadycast: { state: () => ({ kind }) } });
  const bytes = Uint8Array.from(atob(picture), (char) => char.charCodeAt(0));
  const bitmap = await createImageBitmap(new Blob([bytes], { type: 'image/png' }));
  const side = 16;
  const look = new OffscreenCanvas(side, side).getContext('2d', { alpha: false });
  if (look === null) return;
  look.imageSmoothingEnabled = false;
  look.drawImage(bitmap, 0, 0, side, side);
  const { data } = look.getImageData(0, 0, side, side);
  const [red, green, blue] = (bare.match(/\d+/g) ?? []).map(Number);
  const isBare = (at: number) =>
    data[at] === red && data[at + 1] === green && data[at + 2] === blue;
  const pixels = Array.from({ length: side * side }, (_, at) => at * 4);
  if (pixels.filter(isBare).length > (side * side) / 8) return;
  const canvas = document.querySelector('canvas') ?? document.createElement('canvas');
  canvas.width = bitmap.width;
  canvas.height = bitmap.height;
  canvas.getContext('2d')?.drawImage(bitmap, 0, 0);
  document.body.append(canvas);
}
