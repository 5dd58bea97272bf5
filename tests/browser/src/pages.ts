/** The three pages as tests see them: what they say of themselves, and what they show. */

import type { Page } from 'playwright-core';
import type { PlayerSnapshot } from '../../../web/src/play/messages.ts';
import type { TransportName } from '../../../web/src/play/race.ts';
import type { PlayerRecords, ShownFrame } from '../../../web/src/play/records.ts';
import type { PlayerState } from '../../../web/src/play/state.ts';
import type { Quality } from '../../../web/src/publish/quality.ts';
import type { HostStatus } from '../../../web/src/publish/status.ts';
import {
  type Beside,
  besideExpression,
  type Measured,
  measureExpression,
  type Size,
} from './ruler.ts';
import type { Scene } from './scene.ts';
import { pageScript } from './script.ts';
import { until } from './until.ts';
import type { Look, Place, WitnessReport } from './witness.ts';

export interface Point {
  x: number;
  y: number;
}

export type Records = PlayerRecords & { shown: ShownFrame[] };

/** `window.steadycast` of all pages in one; each has its own part. */
interface Diagnostics {
  records(): Records;
  state(): PlayerState;
  transport(): TransportName | null;
  privacy(): PlayerSnapshot['privacy'];
  status(): HostStatus | null;
  panel(): { host: string } | null;
}

declare global {
  interface Window {
    steadycast?: Diagnostics;
  }
}

/** Evaluates an expression; both browsers' drivers can. */
export interface Evaluator {
  evaluate(expression: string): Promise<unknown>;
}

/** A tone of the captured page has a quarter of what a sample can say. */
const AUDIBLE = 0.15;
const SILENT = 0.001;

/** A player's page, in whatever browser. */
export class PlayerPage {
  readonly #page: Evaluator;
  readonly #witness: Evaluator;

  /** `witness`: the page that its witness is in, where that is another. */
  constructor(page: Evaluator, witness: Evaluator = page) {
    this.#page = page;
    this.#witness = witness;
  }

  async records(): Promise<Records> {
    return (await this.#page.evaluate('window.steadycast.records()')) as Records;
  }

  /** When the first frame of this epoch was shown, on the relay's clock; null: not yet. */
  async firstShownUs(epoch: number): Promise<number | null> {
    // Looked for there: to bring the whole log here would cost the page more than what is measured.
    const first = `window.steadycast.records().shown.find((frame) => frame.epoch === ${epoch})`;
    return (await this.#page.evaluate(`${first}?.shownUs ?? null`)) as number | null;
  }

  async state(): Promise<PlayerState> {
    return (await this.#page.evaluate('window.steadycast.state()')) as PlayerState;
  }

  /** What brings the picture. */
  async transport(): Promise<TransportName | null> {
    return (await this.#page.evaluate('window.steadycast.transport()')) as TransportName | null;
  }

  async hasWitness(): Promise<boolean> {
    return (await this.#witness.evaluate('window.witness !== undefined')) === true;
  }

  async witness(): Promise<WitnessReport> {
    return (await this.#witness.evaluate('window.witness.report()')) as WitnessReport;
  }

  /** Begins the witness's count of gaps and ages anew. */
  async resetWitness(): Promise<void> {
    await this.#witness.evaluate('window.witness.reset()');
  }

  async look(places: Place[]): Promise<void> {
    await this.#witness.evaluate(`void (window.witness.places = ${JSON.stringify(places)})`);
  }

  /** Waits until it plays this tone, as strong as it was captured or a little softer. */
  async waitForTone(hz: number): Promise<void> {
    await until(`a tone of ${hz} Hz`, async () => {
      return Number(await this.#page.evaluate(`window.ear.strength(${hz}, 100)`)) > AUDIBLE;
    });
  }

  /** Waits until it plays nothing. */
  async waitForSilence(): Promise<void> {
    await until('silence', async () => {
      return Number(await this.#page.evaluate('window.ear.peak(200)')) < SILENT;
    });
  }

  /**
   * Which part of the captured page is shown, once the picture is sharp enough to tell. `part`: by so
   * much of the picture alone, from its top left corner.
   */
  async measure(part: Size | null = null): Promise<Measured | null> {
    return (await this.#page.evaluate(measureExpression(part))) as Measured | null;
  }

  /** What the picture has beside such a part. */
  async lookBeside(part: Size): Promise<Beside | null> {
    return (await this.#page.evaluate(besideExpression(part))) as Beside | null;
  }

  /** Begins to measure such a part again and again; returns where it has lain, each place once. */
  async followPart(part: Size): Promise<() => Promise<Point[]>> {
    await this.#page.evaluate(`(() => {
      const places = new Map();
      Object.assign(window, { places });
      setInterval(() => {
        const found = ${measureExpression(part)};
        if (found !== null) places.set(found.x + ', ' + found.y, { x: found.x, y: found.y });
      }, 40);
    })()`);
    return async () => (await this.#page.evaluate('[...window.places.values()]')) as Point[];
  }

  /** A square of the picture, in its own pixels, as coarse shades of grey; null: there is no picture. */
  async partAt({ x, y }: Point, side: number): Promise<number[] | null> {
    return (await this.#page.evaluate(`(() => {
      const picture = document.querySelector('.player-picture');
      if (picture === null) return null;
      const context = new OffscreenCanvas(${side}, ${side}).getContext('2d');
      context.drawImage(picture, ${x}, ${y}, ${side}, ${side}, 0, 0, ${side}, ${side});
      const { data } = context.getImageData(0, 0, ${side}, ${side});
      return [...data].filter((_, at) => at % 4 === 1).map((value) => value >> 6);
    })()`)) as number[] | null;
  }

  /** Begins to note how large the pictures are that are shown, before they are drawn; returns each size once. */
  async followSizes(): Promise<() => Promise<string[]>> {
    await this.#page.evaluate(`(() => {
      const sizes = new Set();
      Object.assign(window, { sizes });
      const look = () => {
        const picture = document.querySelector('.player-picture');
        const width = picture?.videoWidth ?? picture?.width ?? 0;
        const height = picture?.videoHeight ?? picture?.height ?? 0;
        if (window.steadycast.state().kind === 'live' && width > 0) sizes.add(width + 'x' + height);
        requestAnimationFrame(look);
      };
      look();
    })()`);
    return async () => (await this.#page.evaluate('[...window.sizes]')) as string[];
  }

  async waitForState(kind: PlayerState['kind'], withinMs?: number): Promise<PlayerState> {
    const options = withinMs === undefined ? {} : { withinMs };
    return until(
      `the player to be ${kind}`,
      async () => {
        const state = await this.state();
        return state.kind === kind ? state : null;
      },
      options,
    );
  }

  /** Waits until a code is seen that was drawn after `sinceMs`, by `scene` if given. */
  async waitForPicture(sinceMs = Date.now(), scene?: number): Promise<Look> {
    return until('a new picture', async () => {
      const { newest } = await this.witness();
      if (newest === null || (scene !== undefined && newest.scene !== scene)) return null;
      return newest.atMs - newest.ageMs >= sinceMs ? newest : null;
    });
  }
}

/** A capture host's page, whose own content the scene covers where a tab is captured. */
export class HostPage {
  readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  async status(): Promise<HostStatus | null> {
    return this.page.evaluate(() => window.steadycast?.status() ?? null);
  }

  async waitFor(what: string, test: (status: HostStatus) => boolean): Promise<HostStatus> {
    return until(`the host to be ${what}`, async () => {
      const status = await this.status();
      return status !== null && test(status) ? status : null;
    });
  }

  waitUntilLive(): Promise<HostStatus> {
    return this.waitFor('live', ({ state, counts }) => state === 'live' && counts.framesSent > 0);
  }

  /** Which scene this document draws. */
  async scene(): Promise<number> {
    return until('the scene', () => this.page.evaluate(() => window.scene?.id));
  }

  /** Lets the scene move, or stand still with a last drawing; returns when that was. */
  async setScene(change: Pick<Scene, 'moving'>): Promise<number> {
    return this.page.evaluate(({ moving }) => {
      if (window.scene === undefined) throw new Error('this page has no scene');
      window.scene.moving = moving;
      window.scene.draw();
      return Date.now();
    }, change);
  }
}

/** The admin's panel. */
export class PanelPage {
  readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  async status(): Promise<HostStatus | null> {
    return this.page.evaluate(() => window.steadycast?.status() ?? null);
  }

  /** What the panel knows of its host: none, opening, present, silent ... */
  async presence(): Promise<string | null> {
    return this.page.evaluate(() => window.steadycast?.panel()?.host ?? null);
  }

  async waitForPresence(presence: string): Promise<void> {
    await until(`the panel to find its host ${presence}`, async () => {
      return (await this.presence()) === presence;
    });
  }

  async waitForState(state: HostStatus['state']): Promise<HostStatus> {
    return until(`the panel to say ${state}`, async () => {
      const status = await this.status();
      return status?.state === state ? status : null;
    });
  }

  /** Clicks whichever button shares now; returns the window that opens. */
  async share(label: string | RegExp = 'Share screen'): Promise<HostPage> {
    const opened = this.page.context().waitForEvent('page');
    await this.clickShare(label);
    return new HostPage(await opened);
  }

  /** The same for a window of this size, which its capture has from the first picture on. */
  async shareAt(
    size: { width: number; height: number },
    label?: string | RegExp,
  ): Promise<HostPage> {
    // Windows open smaller, and a picture of that size would come first.
    const content = pageScript([askOnceOfSize], size, '/host');
    await this.page.context().addInitScript({ content });
    const host = await this.share(label);
    await host.page.setViewportSize(size);
    return host;
  }

  async clickShare(label: string | RegExp): Promise<void> {
    await this.page.getByRole('button', { name: label }).first().click();
  }

  /** Types the crop in as numbers, as an admin would. */
  async crop(crop: { x: number; y: number; width: number; height: number }): Promise<void> {
    // By way of the corner: the fields keep the crop inside the source.
    const fields = [
      ['Left', 0],
      ['Top', 0],
      ['Width', crop.width],
      ['Height', crop.height],
      ['Left', crop.x],
      ['Top', crop.y],
    ] as const;
    for (const [label, value] of fields) {
      const field = this.page.getByLabel(label, { exact: true });
      await field.fill(String(value));
      await field.press('Enter');
    }
  }

  async choose(
    label: 'Codec' | 'Resolution' | 'Bitrate' | 'Frame rate' | 'When the window closes',
    value: string | number,
  ): Promise<void> {
    const field = this.page.getByLabel(label, { exact: true });
    // What hardly anybody changes is folded away.
    if (!(await field.isVisible())) await this.page.getByText('More settings').click();
    await field.selectOption(String(value));
  }

  /** Waits until the host has this quality, as far as it is given. */
  async waitForQuality(wanted: Partial<Quality>): Promise<void> {
    await until(`the quality ${JSON.stringify(wanted)}`, async () => {
      const quality = (await this.status())?.quality;
      if (quality === undefined) return false;
      return Object.entries(wanted).every(
        ([key, value]) => quality[key as keyof Quality] === value,
      );
    });
  }
}

/** Has the page ask for the screen no sooner than its window has this size; the last size counts. */
function askOnceOfSize(size: { width: number; height: number }): void {
  const page = window as Window & { sized?: { width: number; height: number } };
  const known = page.sized !== undefined;
  page.sized = size;
  if (known) return;
  const { mediaDevices } = navigator;
  const ask = mediaDevices.getDisplayMedia.bind(mediaDevices);
  mediaDevices.getDisplayMedia = async (options) => {
    while (innerWidth !== page.sized?.width || innerHeight !== page.sized.height) {
      await new Promise((done) => addEventListener('resize', done, { once: true }));
    }
    return ask(options);
  };
}
