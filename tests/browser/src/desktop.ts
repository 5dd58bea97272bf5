/**
 * Chromium with windows on a virtual screen, launched plainly: without the flags by which drivers
 * keep hidden pages awake, and with a driver that emulates no focus.
 */

import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { type Browser, type CDPSession, connect, type Page } from 'puppeteer-core';
import type { HostStatus } from '../../../web/src/publish/status.ts';
import { COMMON_FLAGS, EXECUTABLE } from './chromium.ts';
import { keepPages } from './keep.ts';
import type { Evaluator } from './pages.ts';
import { end, launch } from './process.ts';
import { sceneScript } from './scene.ts';
import { until, within } from './until.ts';

const run = promisify(execFile);
const SCREEN = { width: 1280, height: 720 } as const;

const PICKS_SCREEN = '--auto-select-desktop-capture-source=Entire screen';

/** Has the browser share the window, or the tab, whose title has this in it. */
export function picksTitled(kind: 'window' | 'tab', title: string): string {
  return `--auto-select-${kind}-capture-source-by-title=${title}`;
}

export interface Box {
  left: number;
  top: number;
  width: number;
  height: number;
}

/** In the picker of a window of the size that capture windows have: the screens, the first one, and the way on. */
const PICKER = [
  { x: 505, y: 127 },
  { x: 160, y: 240 },
  { x: 563, y: 605 },
] as const;

/**
 * Chromium's dialogs pass over clicks on their buttons that follow one another within half a second, for as
 * long as they do: nobody has meant those.
 */
const BETWEEN_CLICKS_MS = 1_000;

/** A virtual screen and a browser on it. */
export class Desktop {
  readonly browser: Browser;
  readonly #cdp: CDPSession;
  readonly #display: string;
  /** Where the screen's own picture is. */
  readonly #frames: string;
  readonly #close: () => Promise<void>;

  private constructor(
    browser: Browser,
    cdp: CDPSession,
    display: string,
    frames: string,
    close: () => Promise<void>,
  ) {
    this.browser = browser;
    this.#cdp = cdp;
    this.#display = display;
    this.#frames = frames;
    this.#close = close;
  }

  /** `picks`: how the browser is told what to share, as a flag of its own; null: it asks, as everybody's does. */
  static async start(picks: string | null = PICKS_SCREEN): Promise<Desktop> {
    const geometry = `${SCREEN.width}x${SCREEN.height}x24`;
    const frames = await mkdtemp(join(tmpdir(), 'steadycast-screen-'));
    const screen = launch(
      'Xvfb',
      [
        ...['-displayfd', '3', '-screen', '0', geometry, '-nolisten', 'tcp', '-fbdir', frames],
        // With it, on a busy machine the browser's capture gives one picture now and then, and no
        // other ever: the second is the first that asks the screen what has changed.
        ...['-extension', 'DAMAGE'],
      ],
      { stdio: ['ignore', 'ignore', 'ignore', 'pipe'] },
    );
    const display = `:${(await firstMatch(screen.stdio[3] as Readable, /(\d+)\n/)).trim()}`;
    const profile = await mkdtemp(join(tmpdir(), 'steadycast-profile-'));
    const args = [
      ...COMMON_FLAGS,
      '--remote-debugging-port=0',
      `--user-data-dir=${profile}`,
      ...(picks === null ? [] : [picks]),
      'about:blank',
    ];
    const chromium = launch(EXECUTABLE, args, {
      env: { ...process.env, DISPLAY: display },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const address = await firstMatch(chromium.stderr as Readable, /DevTools listening on (ws:\S+)/);
    const browser = await connect({ browserWSEndpoint: address, defaultViewport: null });
    const cdp = await browser.target().createCDPSession();
    return new Desktop(browser, cdp, display, frames, async () => {
      await browser.disconnect();
      await end(chromium);
      await end(screen);
      await rm(profile, { recursive: true, force: true, maxRetries: 5 });
      await rm(frames, { recursive: true, force: true });
    });
  }

  close(): Promise<void> {
    return this.#close();
  }

  async keep(directory: string): Promise<void> {
    // As X has it: what is captured, whatever the browser says of its pages.
    await copyFile(join(this.#frames, 'Xvfb_screen0'), join(directory, 'screen.xwd'));
    await writeFile(join(directory, 'windows.txt'), await this.#x('xwininfo', ['-root', '-tree']));
    await keepPages(this.browser, join(directory, 'desktop'));
    await keepPages(this.browser, join(directory, 'desktop-later'));
  }

  /** Shows the scene over this page, in a window of its own; returns where it is on the screen. */
  showScene(url: string, box: Box): Promise<{ x: number; y: number }> {
    return this.show(url, sceneScript(), box);
  }

  /** The same with what another script draws. */
  async show(url: string, script: string, box: Box): Promise<{ x: number; y: number }> {
    const page = await this.openWindow(url, box);
    await until('the page under the scene', async () => {
      return (await page.evaluate('document.readyState')) === 'complete';
    });
    await page.evaluate(script);
    return (await page.evaluate(
      '({ x: screenX + (outerWidth - innerWidth) / 2, y: screenY + outerHeight - innerHeight })',
    )) as { x: number; y: number };
  }

  /** Opens a page in a window of its own. */
  async openWindow(url: string, box: Box): Promise<Page> {
    const { targetId } = await this.#cdp.send('Target.createTarget', {
      url,
      newWindow: true,
      ...box,
    });
    const target = await this.browser.waitForTarget((one) => idOf(one) === targetId);
    const page = await target.page();
    if (page === null) throw new Error(`no page at ${url}`);
    await this.move(page, box);
    return page;
  }

  /** The window that `act` opens. */
  async opened(path: string, act: () => Promise<void>): Promise<Page> {
    const before = new Set(this.browser.targets());
    const coming = this.browser.waitForTarget(
      (target) => !before.has(target) && new URL(target.url(), 'http://x').pathname === path,
    );
    await act();
    const page = await (await coming).page();
    if (page === null) throw new Error(`no window at ${path}`);
    return page;
  }

  async move(page: Page, { left, top, width, height }: Box): Promise<void> {
    const { windowId } = await this.#cdp.send('Browser.getWindowForTarget', {
      targetId: idOf(page.target()),
    });
    const bounds = { left, top, width, height };
    await this.#cdp.send('Browser.setWindowBounds', { windowId, bounds });
  }

  /**
   * What a window manager does to minimise a window: takes it off the screen and marks it as hidden.
   */
  async minimise(title: RegExp): Promise<() => Promise<void>> {
    const id = await this.#windowOf(title);
    await this.#x('xdotool', ['windowunmap', id]);
    const hidden = ['-f', '_NET_WM_STATE', '32a', '-set', '_NET_WM_STATE', '_NET_WM_STATE_HIDDEN'];
    await this.#x('xprop', ['-id', id, ...hidden]);
    return async () => {
      await this.#x('xprop', ['-id', id, '-remove', '_NET_WM_STATE']);
      await this.#x('xdotool', ['windowmap', id]);
    };
  }

  /** What a window manager does with every window: only such ones can be shared. */
  async manage(title: RegExp): Promise<void> {
    const id = await this.#windowOf(title);
    await this.#x('xprop', ['-id', id, '-f', 'WM_STATE', '32i', '-set', 'WM_STATE', '1, 0']);
  }

  /** Moves the pointer to a place of the screen. */
  async point(x: number, y: number): Promise<void> {
    await this.#x('xdotool', ['mousemove', `${x}`, `${y}`]);
  }

  /** Chooses the whole screen in the picker of a capture window, and waits until that goes out. */
  async pickScreen(host: Page): Promise<void> {
    const window = (await host.evaluate('({ x: screenX, y: screenY })')) as {
      x: number;
      y: number;
    };
    const isPicked = async () => {
      if ((await hostStatus(host))?.state === 'live') return true;
      // No page knows of the picker, so none says when it is there.
      for (const { x, y } of PICKER) {
        await this.point(window.x + x, window.y + y);
        await this.#x('xdotool', ['click', '1']);
      }
      return false;
    };
    await until('the screen to be picked', isPicked, { everyMs: BETWEEN_CLICKS_MS });
  }

  /** The titles of all windows that are seen, the browser's own among them. */
  async titles(): Promise<string[]> {
    const ids = (await this.#x('xdotool', ['search', '--onlyvisible', '--name', '.'])).split('\n');
    return Promise.all(ids.map((id) => this.#x('xdotool', ['getwindowname', id]).catch(() => '')));
  }

  #windowOf(title: RegExp): Promise<string> {
    return until(`a window with the title ${title}`, async () => {
      const ids = (await this.#x('xdotool', ['search', '--onlyvisible', '--name', '.'])).split(
        '\n',
      );
      for (const id of ids) {
        if (title.test(await this.#x('xdotool', ['getwindowname', id]))) return id;
      }
      return null;
    });
  }

  async #x(command: string, args: string[]): Promise<string> {
    const env = { ...process.env, DISPLAY: this.#display };
    return (await run(command, args, { env })).stdout.trim();
  }
}

/** What the browser lets a page do: how often its main thread gets to draw and to time. */
export interface Liveliness {
  visibility: DocumentVisibilityState;
  /** Per second. */
  animationFrames: number;
  timers: number;
}

/** Measured over `seconds` of the page's own clock. */
export async function livelinessOf(page: Evaluator, seconds: number): Promise<Liveliness> {
  const measure = `new Promise((resolve) => {
    let frames = 0;
    let timers = 0;
    const startMs = performance.now();
    const frame = () => { frames += 1; requestAnimationFrame(frame); };
    requestAnimationFrame(frame);
    const timer = setInterval(() => {
      timers += 1;
      const passed = (performance.now() - startMs) / 1000;
      if (passed < ${seconds}) return;
      clearInterval(timer);
      resolve({
        visibility: document.visibilityState,
        animationFrames: frames / passed,
        timers: timers / passed,
      });
    }, 50);
  })`;
  return (await page.evaluate(measure)) as Liveliness;
}

export async function hostStatus(page: Evaluator): Promise<HostStatus | null> {
  return (await page.evaluate('window.steadycast?.status() ?? null')) as HostStatus | null;
}

/** Clicks a button of a page. */
export async function clickOn(page: Page, label: string): Promise<void> {
  await page.locator(`::-p-aria([name="${label}"][role="button"])`).click();
}

/** Types a number into a field of a page. */
export async function typeIn(page: Page, label: string, value: number): Promise<void> {
  const field = await page.waitForSelector(`::-p-aria([name="${label}"][role="spinbutton"])`);
  if (field === null) throw new Error(`no field ${label}`);
  await field.focus();
  await field.evaluate((input) => (input as HTMLInputElement).select());
  await field.type(String(value));
  await field.press('Enter');
}

/** DevTools' name for a target, which Puppeteer keeps to itself. */
function idOf(target: object): string {
  return '_targetId' in target ? String(target._targetId) : '';
}

async function firstMatch(stream: Readable, pattern: RegExp): Promise<string> {
  let text = '';
  const found = new Promise<string>((resolve) => {
    stream.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      const match = pattern.exec(text)?.[1];
      if (match !== undefined) resolve(match);
    });
  });
  return within(`output like ${pattern}`, 30_000, found);
}
