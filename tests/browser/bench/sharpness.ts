/** How much of a captured page is left in what a player shows of it. */

import type { Page } from 'playwright-core';
import { pageScript } from '../src/script.ts';
import { lumaOf, psnr } from './psnr.ts';

/** Text, and nothing that either page draws over it. */
const TEXT = { x: 20, y: 120, width: 800, height: 440 };

/** PSNR in dB of the luma of the text: both pages show it in the same place, and stand still. */
export async function sharpness(captured: Page, shown: Page): Promise<number> {
  const both = await Promise.all([captured, shown].map((page) => page.screenshot({ clip: TEXT })));
  const [source, seen] = both.map((png) => png.toString('base64'));
  const given = { source: source ?? '', seen: seen ?? '' };
  return (await captured.evaluate(pageScript([compare, lumaOf, psnr], given))) as number;
}

/** To be given to a page with what it imports. */
async function compare({ source, seen }: { source: string; seen: string }): Promise<number> {
  const luma = async (base64: string) => {
    const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
    const image = await createImageBitmap(new Blob([bytes], { type: 'image/png' }));
    const canvas = new OffscreenCanvas(image.width, image.height);
    const context = canvas.getContext('2d');
    if (context === null) throw new Error('no canvas');
    context.drawImage(image, 0, 0);
    return lumaOf(context.getImageData(0, 0, image.width, image.height).data);
  };
  const [one, other] = await Promise.all([luma(source), luma(seen)]);
  return psnr(one, other);
}
