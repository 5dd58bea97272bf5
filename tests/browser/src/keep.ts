/** What is kept of a failure. */

import type { Browser } from 'puppeteer-core';

/** Screenshots of all pages that a browser has open; `path` is what their names begin with. */
export async function keepPages(browser: Browser, path: string): Promise<void> {
  for (const [at, page] of (await browser.pages()).entries()) {
    await page.screenshot({ path: `${path}-${at + 1}.png` }).catch(() => undefined);
  }
}
