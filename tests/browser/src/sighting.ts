/** What a viewer sees of a player: pixels of its window, not of its picture. */

import type { CDPSession, Page } from 'playwright-core';
import { type Measured, measureExpression } from './ruler.ts';

/** Looks at pictures of other pages. */
export class Sighting {
  readonly #lens: Page;

  /** `lens`: a page of its own, which shows what is looked at. */
  constructor(lens: Page) {
    this.#lens = lens;
  }

  /** Which part of the captured page is to be seen, if it is so pixel by pixel; null: it is not. */
  async measure(page: Page): Promise<Measured | null> {
    return this.measurePng(await page.screenshot());
  }

  /** The same in a file. */
  async measurePng(png: Buffer): Promise<Measured | null> {
    await this.#lens.evaluate(async (base64) => {
      const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
      const picture = await createImageBitmap(new Blob([bytes], { type: 'image/png' }));
      const canvas = document.createElement('canvas');
      canvas.width = picture.width;
      canvas.height = picture.height;
      canvas.style.cssText = 'position:fixed;inset:0;width:100vw;height:100vh';
      canvas.getContext('2d')?.drawImage(picture, 0, 0);
      document.body.replaceChildren(canvas);
    }, png.toString('base64'));
    return (await this.#lens.evaluate(measureExpression())) as Measured | null;
  }
}

type Place = readonly [x: number, y: number];

/** Fingers on a page. */
export class Fingers {
  readonly #cdp: CDPSession;

  private constructor(cdp: CDPSession) {
    this.#cdp = cdp;
  }

  static async on(page: Page): Promise<Fingers> {
    const cdp = await page.context().newCDPSession(page);
    await cdp.send('Emulation.setTouchEmulationEnabled', { enabled: true, maxTouchPoints: 2 });
    return new Fingers(cdp);
  }

  /** One or two fingers that go from somewhere to somewhere, and are lifted. */
  async move(from: readonly Place[], to: readonly Place[]): Promise<void> {
    await this.#touch('touchStart', from);
    const steps = 8;
    for (let step = 1; step <= steps; step += 1) {
      const between = from.map(([x, y], at): Place => {
        const [toX, toY] = to[at] ?? [x, y];
        return [x + ((toX - x) * step) / steps, y + ((toY - y) * step) / steps];
      });
      await this.#touch('touchMove', between);
    }
    await this.#touch('touchEnd', []);
  }

  async tap(at: Place): Promise<void> {
    await this.#touch('touchStart', [at]);
    await this.#touch('touchEnd', []);
  }

  /** Two taps as quickly as fingers do that, however long the browser takes to hear of them. */
  async doubleTap(at: Place): Promise<void> {
    const beganMs = Date.now();
    await this.#touch('touchStart', [at], beganMs);
    await this.#touch('touchEnd', [], beganMs + 50);
    await this.#touch('touchStart', [at], beganMs + 150);
    await this.#touch('touchEnd', [], beganMs + 200);
  }

  async #touch(
    type: 'touchStart' | 'touchMove' | 'touchEnd',
    at: readonly Place[],
    atMs = Date.now(),
  ): Promise<void> {
    const touchPoints = at.map(([x, y], id) => ({ x, y, id }));
    await this.#cdp.send('Input.dispatchTouchEvent', {
      type,
      touchPoints,
      timestamp: atMs / 1_000,
    });
  }
}
