/**
 * Chromium as people start it: drivers' own flags switch off what hides and throttles pages, so
 * nothing but what a capture without a screen needs is passed.
 */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, launch, type Page } from 'puppeteer-core';
import type { HostStatus } from '../../../web/src/publish/status.ts';
import { COMMON_FLAGS, EXECUTABLE } from './chromium.ts';
import { linkTo } from './links.ts';
import type { Relay } from './relay.ts';
import { pageScript, pickMonitor } from './script.ts';
import { until } from './until.ts';

export class PlainChromium {
  readonly #browser: Browser;
  readonly #profile: string;

  private constructor(browser: Browser, profile: string) {
    this.#browser = browser;
    this.#profile = profile;
  }

  static async launch(): Promise<PlainChromium> {
    const profile = await mkdtemp(join(tmpdir(), 'steadycast-chromium-'));
    const browser = await launch({
      executablePath: EXECUTABLE,
      ignoreDefaultArgs: true,
      args: [
        ...COMMON_FLAGS,
        '--headless',
        '--remote-debugging-port=0',
        `--user-data-dir=${profile}`,
        '--use-fake-ui-for-media-stream',
        '--use-fake-device-for-media-stream=display-media-type=monitor,fps=30',
        'about:blank',
      ],
    });
    return new PlainChromium(browser, profile);
  }

  /** The capture host in a tab of its own. `before`: a script that runs before the page's own. */
  async openHost(relay: Relay, token: string, before?: string): Promise<PlainHost> {
    const page = await this.#browser.newPage();
    await page.evaluateOnNewDocument(pageScript([pickMonitor], null));
    if (before !== undefined) await page.evaluateOnNewDocument(before);
    await page.goto(linkTo(relay.origin, 'host', token));
    await page.evaluate(pageScript([countAnimationFrames], null));
    return new PlainHost(page);
  }

  /**
   * A player in a tab, which is hidden as soon as there is another one in front of it. `before`: a script
   * that runs before the page's own.
   */
  async openPlayer(relay: Relay, token: string, before?: string): Promise<Page> {
    const page = await this.#browser.newPage();
    if (before !== undefined) await page.evaluateOnNewDocument(before);
    await page.goto(linkTo(relay.origin, 'play', token));
    return page;
  }

  /** A tab in front of all others. */
  async openTab(): Promise<Page> {
    const page = await this.#browser.newPage();
    await page.bringToFront();
    return page;
  }

  async close(): Promise<void> {
    await this.#browser.close();
    await rm(this.#profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

declare global {
  interface Window {
    /** Animation frames that the page was given. */
    animationFrames?: number;
  }
}

function countAnimationFrames(): void {
  window.animationFrames = 0;
  const count = () => {
    window.animationFrames = (window.animationFrames ?? 0) + 1;
    requestAnimationFrame(count);
  };
  requestAnimationFrame(count);
}

export class PlainHost {
  readonly #page: Page;

  constructor(page: Page) {
    this.#page = page;
  }

  status(): Promise<HostStatus | null> {
    return this.#page.evaluate(() => window.steadycast?.status() ?? null);
  }

  async waitUntilLive(): Promise<void> {
    await until('the host to be live', async () => {
      const status = await this.status();
      return status?.state === 'live' && status.counts.framesSent > 0;
    });
  }

  async waitUntilHidden(): Promise<void> {
    await until('the host to be hidden', () =>
      this.#page.evaluate(() => document.visibilityState === 'hidden'),
    );
  }

  animationFrames(): Promise<number> {
    return this.#page.evaluate(() => window.animationFrames ?? 0);
  }

  /** Minimises the window that the host is in. */
  async minimise(): Promise<void> {
    const cdp = await this.#page.createCDPSession();
    const { windowId } = await cdp.send('Browser.getWindowForTarget');
    await cdp.send('Browser.setWindowBounds', { windowId, bounds: { windowState: 'minimized' } });
    await cdp.detach();
  }
}
