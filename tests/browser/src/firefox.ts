/** Firefox without a screen, driven by Puppeteer over WebDriver BiDi. */

import { type Browser, launch, type Page } from 'puppeteer-core';
import { PlayerPage } from './pages.ts';
import type { Relay } from './relay.ts';
import { UNCROPPED, witnessScript } from './witness.ts';

const EXECUTABLE = process.env['FIREFOX'] ?? '/usr/bin/firefox-esr';

/** Nothing may reach beyond this machine, not even in the attempt. */
const PREFERENCES = {
  'app.normandy.enabled': false,
  'app.update.disabledForTesting': true,
  'browser.region.network.url': '',
  'browser.search.update': false,
  'browser.topsites.contile.enabled': false,
  'datareporting.healthreport.uploadEnabled': false,
  'dom.push.connection.enabled': false,
  'messaging-system.rsexperimentloader.enabled': false,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'network.proxy.type': 0,
  'network.trr.mode': 5,
  'services.settings.server': 'data:,',
  'toolkit.telemetry.server': 'data:,',
};

export class Firefox {
  readonly #browser: Browser;

  private constructor(browser: Browser) {
    this.#browser = browser;
  }

  static async launch(): Promise<Firefox> {
    const browser = await launch({
      browser: 'firefox',
      executablePath: EXECUTABLE,
      headless: true,
      extraPrefsFirefox: PREFERENCES,
    });
    return new Firefox(browser);
  }

  version(): Promise<string> {
    return this.#browser.version();
  }

  async openPlayer(relay: Relay, token: string): Promise<FirefoxPlayer> {
    const page = await this.#browser.newPage();
    await page.evaluateOnNewDocument(witnessScript([UNCROPPED]));
    await page.goto(`${relay.origin}/play#${token}`);
    return new FirefoxPlayer(page);
  }

  async close(): Promise<void> {
    await this.#browser.close();
  }
}

export class FirefoxPlayer extends PlayerPage {
  readonly page: Page;

  constructor(page: Page) {
    super(page);
    this.page = page;
  }
}
