/** What is kept of a failure. */

import { writeFile } from 'node:fs/promises';
import type { Browser, Page } from 'puppeteer-core';

/**
 * How all pages that a browser has open looked, and what they said of themselves; `path` is what
 * the files' names begin with.
 */
export async function keepPages(browser: Browser, path: string): Promise<void> {
  for (const [at, page] of (await browser.pages()).entries()) {
    await keepPage(page, `${path}-${at + 1}`).catch(() => undefined);
  }
}

async function keepPage(page: Page, path: string): Promise<void> {
  const said = await page.evaluate(() => ({
    url: location.pathname,
    atMs: Date.now(),
    visibility: document.visibilityState,
    status: window.steadycast?.status?.(),
    records: window.steadycast?.records?.(),
  }));
  await writeFile(`${path}.json`, `${JSON.stringify(said, null, 2)}\n`);
  await page.screenshot({ path: `${path}.png` });
}
