/** How much of a captured page is left in what a player shows of it. */

import type { Page } from 'playwright-core';

/** Text, and nothing that either page draws over it. */
const TEXT = { x: 20, y: 120, width: 800, height: 440 };

/** PSNR in dB of the luma of the text: both pages show it in the same place, and stand still. */
export async function sharpness(captured: Page, shown: Page): Promise<number> {
  const both = await Promise.all([captured, shown].map((page) => page.screenshot({ clip: TEXT })));
  const [source, seen] = both.map((png) => png.toString('base64'));
  return captured.evaluate(compare, { source: source ?? '', seen: seen ?? '' });
}

/** To be given to a page alone. */
async function compare({ source, seen }: { source: string; seen: string }): Promise<number> {
  const luma = async (base64: string) => {
    const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
    const image = await createImageBitmap(new Blob([bytes], { type: 'image/png' }));
    const canvas = new OffscreenCanvas(image.width, image.height);
    const context = canvas.getContext('2d');
    if (context === null) throw new Error('no canvas');
    context.drawImage(image, 0, 0);
    const { data } = context.getImageData(0, 0, image.width, image.height);
    const at = (pixel: number, part: number) => data[pixel * 4 + part] ?? 0;
    return Array.from(
      { length: data.length / 4 },
      (_, pixel) => (at(pixel, 0) * 299 + at(pixel, 1) * 587 + at(pixel, 2) * 114) / 1_000,
    );
  };
  const [one, other] = await Promise.all([luma(source), luma(seen)]);
  const squares = one.map((value, at) => (value - (other[at] ?? 0)) ** 2);
  const error = squares.reduce((sum, square) => sum + square, 0) / squares.length;
  return 10 * Math.log10((255 * 255) / Math.max(error, 0.01));
}
