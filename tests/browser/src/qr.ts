/** What a camera reads in a code that a page shows. */

import { createRequire } from 'node:module';
import type { default as Reader } from 'jsqr';
import type { Locator } from 'playwright-core';

// Its module for the browser has its one function as `default` where Node loads it.
const { default: readPixels } = createRequire(import.meta.url)('jsqr') as {
  default: typeof Reader;
};

/** Null: nothing can be read in it. */
export async function readCode(code: Locator): Promise<string | null> {
  const picture = (await code.screenshot()).toString('base64');
  const { width, height, pixels } = await code.page().evaluate(async (base64) => {
    const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
    const bitmap = await createImageBitmap(new Blob([bytes], { type: 'image/png' }));
    const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
    const context = canvas.getContext('2d');
    context?.drawImage(bitmap, 0, 0);
    const data = context?.getImageData(0, 0, bitmap.width, bitmap.height).data ?? [];
    return { width: bitmap.width, height: bitmap.height, pixels: [...data] };
  }, picture);
  // Only the right way round: cameras of phones do not read the reverse.
  const read = readPixels(Uint8ClampedArray.from(pixels), width, height, {
    inversionAttempts: 'dontInvert',
  });
  return read?.data ?? null;
}
