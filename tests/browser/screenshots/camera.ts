/** Takes a picture of a page into docs/images, and with `--gallery` and a folder at every width, in both themes, there. */

import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { Page } from 'playwright-core';

export const IMAGES = resolve(import.meta.dirname, '../../../docs/images');
const { values } = parseArgs({ options: { gallery: { type: 'string' } } });
/** A desktop, a phone on its side, a phone, and the smallest. */
const SIZES = [
  { width: 1280, height: 800 },
  { width: 844, height: 390 },
  { width: 390, height: 844 },
  { width: 320, height: 640 },
] as const;

export async function shoot(page: Page, name: string): Promise<void> {
  await settle(page);
  await page.evaluate('scrollTo(0, 0)');
  await page.screenshot({ path: join(IMAGES, `${name}.png`) });
  await shootAll(page, name);
  process.stdout.write(`${name}\n`);
}

/** For the gallery alone. */
export async function shootAll(page: Page, name: string): Promise<void> {
  if (values.gallery === undefined) return;
  const before = page.viewportSize();
  for (const size of SIZES) {
    await page.setViewportSize(size);
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      await settle(page);
      const path = join(values.gallery, `${name}-${size.width}-${colorScheme}.png`);
      await page.screenshot({ path, fullPage: size.width !== 844 });
    }
  }
  await page.emulateMedia({ colorScheme: null });
  if (before !== null) await page.setViewportSize(before);
}

async function settle(page: Page): Promise<void> {
  // What fades in is to be seen whole; endless animations have no end to wait for.
  await page.evaluate(() =>
    Promise.allSettled(
      document
        .getAnimations()
        .filter(({ effect }) => effect?.getTiming().iterations !== Number.POSITIVE_INFINITY)
        .map(({ finished }) => finished),
    ),
  );
}
