/** Colours that a captured page shows, and what becomes of them in a player's picture. */

import type { Evaluator } from './pages.ts';
import { pageScript } from './script.ts';

export type Rgb = readonly [red: number, green: number, blue: number];

/** Side by side; a wrong matrix moves the saturated ones, a wrong range all of them. */
export const SWATCHES: readonly Rgb[] = [
  [221, 0, 0],
  [0, 170, 0],
  [0, 0, 204],
  [230, 200, 40],
  [24, 24, 24],
  [128, 128, 128],
  [240, 240, 240],
];
/** Of the strip, in the page's own pixels. */
const STRIP = { height: 64, width: 48 } as const;

/** A script that covers the top left of a page with the strip of swatches. */
export function swatchScript(): string {
  return pageScript([drawSwatches], { swatches: SWATCHES, ...STRIP });
}

function drawSwatches(given: { swatches: readonly Rgb[]; width: number; height: number }): void {
  const strip = document.createElement('div');
  strip.style.cssText = 'position:fixed;left:0;top:0;z-index:2147483647;display:flex';
  for (const [red, green, blue] of given.swatches) {
    const swatch = document.createElement('div');
    swatch.style.cssText = `width:${given.width}px;height:${given.height}px;background:rgb(${red} ${green} ${blue})`;
    strip.append(swatch);
  }
  document.documentElement.append(strip);
}

/** What the picture of a player shows in the middle of each swatch of a strip at this place. */
export async function seenSwatches(
  page: Evaluator,
  at: { x: number; y: number },
): Promise<Rgb[] | null> {
  const given = { ...at, ...STRIP, count: SWATCHES.length };
  return (await page.evaluate(pageScript([readSwatches], given))) as Rgb[] | null;
}

function readSwatches(given: {
  x: number;
  y: number;
  width: number;
  height: number;
  count: number;
}): Rgb[] | null {
  const there = document.elementsFromPoint(innerWidth / 2, innerHeight / 2);
  const picture = there.find((element) => element.matches('canvas, video'));
  const sheet = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
  if (picture === undefined || sheet === null) return null;
  return Array.from({ length: given.count }, (_, number) => {
    const x = given.x + (number + 0.5) * given.width;
    const y = given.y + given.height / 2;
    const part = [x - 8, y - 8, 16, 16] as const;
    sheet.drawImage(picture as HTMLCanvasElement | HTMLVideoElement, ...part, 0, 0, 1, 1);
    const [red = 0, green = 0, blue = 0] = sheet.getImageData(0, 0, 1, 1).data;
    return [red, green, blue] as const;
  });
}

/** The largest difference in any channel of any swatch. */
export function worstOf(seen: readonly Rgb[]): number {
  return Math.max(
    ...SWATCHES.flatMap((wanted, number) =>
      wanted.map((value, channel) => Math.abs(value - (seen[number]?.[channel] ?? -255))),
    ),
  );
}
