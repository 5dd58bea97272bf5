/** A crop as an admin makes it with a mouse, and as a viewer sees it, to the pixel. */

import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import type { Page } from 'playwright-core';
import { CODE, RULER } from './code.ts';
import type { HostPage, PanelPage, PlayerPage, Point } from './pages.ts';
import type { Measured, Size } from './ruler.ts';
import { until } from './until.ts';

export interface Crop {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** Black as encoders leave it beside something bright. */
const DARK = 48;
/** Chroma and the panel's own pixels leave a hand so much room. */
const NEAR = 2;

/** A hand with a mouse on the panel's picture; places are in pixels of the source. */
export class Hand {
  readonly #page: Page;
  readonly #stage: Crop;
  readonly #scale: number;

  private constructor(page: Page, stage: Crop, sourceWidth: number) {
    this.#page = page;
    this.#stage = stage;
    this.#scale = stage.width / sourceWidth;
  }

  static async on({ page }: PanelPage, source: { width: number }): Promise<Hand> {
    const stage = await page.locator('.stage-touch').boundingBox();
    assert.ok(stage !== null, 'there is something to drag on');
    return new Hand(page, stage, source.width);
  }

  /** Takes hold of what is at one place, and goes to another without letting go. */
  async hold(from: Point, to: Point): Promise<void> {
    const start = this.#at(from);
    await this.#page.mouse.move(start.x, start.y);
    await this.#page.mouse.down();
    await this.move(to);
  }

  async move(to: Point): Promise<void> {
    const end = this.#at(to);
    await this.#page.mouse.move(end.x, end.y, { steps: 8 });
  }

  async release(): Promise<void> {
    await this.#page.mouse.up();
  }

  async drag(from: Point, to: Point): Promise<void> {
    await this.hold(from, to);
    await this.release();
  }

  #at({ x, y }: Point): Point {
    return { x: this.#stage.x + x * this.#scale, y: this.#stage.y + y * this.#scale };
  }
}

/** Waits until the host has about this crop; returns what it is exactly. */
export async function untilCropped(host: HostPage, wanted: Crop): Promise<Crop> {
  const { crop } = await host.waitFor(`cropped to about ${JSON.stringify(wanted)}`, ({ crop }) => {
    const sides = ['x', 'y', 'width', 'height'] as const;
    return crop !== null && sides.every((side) => Math.abs(crop[side] - wanted[side]) <= NEAR);
  });
  assert.ok(crop !== null);
  return crop;
}

/** Waits until the player shows exactly this part of the source, every pixel of the ruler right. */
export async function untilShown(player: PlayerPage, crop: Crop): Promise<Measured> {
  const wanted = { ...crop, ...rulerIn(crop) };
  return until(`exactly ${JSON.stringify(wanted)}`, async () => {
    const measured = await player.measure();
    return isDeepStrictEqual(measured, wanted) ? measured : null;
  });
}

/**
 * Waits until the player shows a crop of which the source has only this part: the part exactly where
 * it always was, and nothing but black beside it.
 */
export async function untilPartShown(player: PlayerPage, crop: Crop, part: Size): Promise<void> {
  const wanted = { ...crop, ...part, ...rulerIn({ ...crop, ...part }) };
  await until(`exactly ${JSON.stringify(wanted)} and black beside it`, async () => {
    const beside = await player.lookBeside(part);
    if (beside?.width !== crop.width || beside.height !== crop.height) return null;
    return beside.brightest < DARK && isDeepStrictEqual(await player.measure(part), wanted);
  });
}

/** How many whole rows and columns of the ruler a crop shows: those that the code leaves free. */
function rulerIn({ x, y, width, height }: Crop): { rows: number; columns: number } {
  const margin = 4;
  const code = {
    left: CODE.x - margin,
    right: CODE.x + CODE.columns * CODE.cell + margin,
    top: CODE.y - margin,
    bottom: CODE.y + CODE.rows * CODE.cell + margin,
  };
  const across = x < code.right && x + width > code.left;
  const down = y < code.bottom && y + height > code.top;
  const lines = (start: number, length: number) =>
    Array.from({ length }, (_, at) => start + at).filter(
      (at) => at % RULER.period < RULER.thickness,
    );
  return {
    rows: lines(y, height).filter((at) => !across || at < code.top || at >= code.bottom).length,
    columns: lines(x, width).filter((at) => !down || at < code.left || at >= code.right).length,
  };
}
