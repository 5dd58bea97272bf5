/** Chromium without a screen, driven by Playwright. */

import {
  type Browser,
  type BrowserContext,
  type CDPSession,
  chromium,
  type Page,
} from 'playwright-core';
import { earScript } from './ear.ts';
import { type Lack, takeAway } from './lacking.ts';
import { bareLinkTo, type LinkedPage, linkTo } from './links.ts';
import { HostPage, PanelPage, PlayerPage } from './pages.ts';
import type { Relay } from './relay.ts';
import { sceneScript } from './scene.ts';
import { NAME_SHIM, pageScript, pickMonitor } from './script.ts';
import { toneScript } from './tone.ts';
import { doom, makeSwallowable, type WebTransportFate } from './transports.ts';
import { type Place, UNCROPPED, witnessScript } from './witness.ts';

export const EXECUTABLE = process.env['CHROMIUM'] ?? '/usr/bin/chromium';

/** For every launch; nothing may reach beyond this machine. */
export const COMMON_FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** When a page may be heard. */
const AUTOPLAY = {
  real: 'no-user-gesture-required',
  shy: 'document-user-activation-required',
} as const;

export interface ChromiumOptions {
  /**
   * What getDisplayMedia captures: the tab that asks, with the scene drawn over it, or a moving
   * screen that the browser makes up.
   */
  capture?: 'tab' | 'monitor';
  /**
   * made-up: what is captured beeps as the browser likes, and so does a microphone; real: a tab sounds as its
   * page does (`window.tone`), there is no microphone, and players are heard as well; shy: the same, but pages
   * are heard only once somebody has touched them.
   */
  sound?: 'made-up' | 'real' | 'shy';
  /** Of pages that are opened here, and so of what a tab gives. */
  viewport?: { width: number; height: number };
  /** The captured scene at its start. */
  scene?: { moving?: boolean; noise?: number };
  /** Codecs that it decodes no more, as prefixes of their WebCodecs strings. */
  lacks?: readonly Lack[];
  /** Takes any certificate. */
  trusting?: boolean;
  /**
   * websocket: nothing else brings sessions here; without-webrtc: WebSocket does so in place of WebRTC. Left out: whatever a
   * player's page is to have.
   */
  sessions?: 'websocket' | 'without-webrtc' | undefined;
  /** The port of a proxy on this machine by which it opens all connections, those of WebRTC too. */
  proxyPort?: number;
}

export interface PlayerOptions {
  /** Where its witness looks for the code; null: it has none. */
  places?: Place[] | null;
  /** Between two looks of the witness. */
  everyMs?: number;
  webTransport?: WebTransportFate;
  /**
   * In a window and a profile of its own, as a viewer of its own has it: of a tab that lies under
   * another one, the browser shows no video, and tells of one frame per second.
   */
  apart?: boolean;
  /** What it plays is listened to (`window.ear`); its browser has to have real sound. */
  ear?: boolean;
  /** Lets `swallowFrames` break its first peer connection. */
  swallowable?: boolean;
}

export class Chromium {
  readonly browser: Browser;
  /** Pages of versions before know no links but those with a bare token. */
  bareLinks = false;
  /** Called with each player's link when it is opened. */
  onPlayer: ((relay: Pick<Relay, 'origin'>, token: string) => Promise<void>) | null = null;
  readonly #sessions: ChromiumOptions['sessions'];
  readonly #openContext: () => Promise<BrowserContext>;
  readonly #context: BrowserContext;
  readonly #cdp: CDPSession;

  private constructor(
    browser: Browser,
    openContext: () => Promise<BrowserContext>,
    context: BrowserContext,
    cdp: CDPSession,
    sessions: ChromiumOptions['sessions'],
  ) {
    this.browser = browser;
    this.#sessions = sessions;
    this.#openContext = openContext;
    this.#context = context;
    this.#cdp = cdp;
  }

  static async launch(options: ChromiumOptions = {}): Promise<Chromium> {
    const {
      capture = 'tab',
      sound = 'made-up',
      viewport = { width: 640, height: 360 },
      scene,
    } = options;
    const device = capture === 'tab' ? 'browser' : 'monitor,fps=30';
    const browser = await chromium.launch({
      executablePath: EXECUTABLE,
      headless: true,
      ignoreDefaultArgs: ['--disable-quic', ...(sound === 'made-up' ? [] : ['--mute-audio'])],
      args: [
        ...COMMON_FLAGS,
        ...(sound === 'made-up'
          ? [
              '--use-fake-ui-for-media-stream',
              `--use-fake-device-for-media-stream=display-media-type=${device}`,
            ]
          : ['--auto-accept-this-tab-capture', `--autoplay-policy=${AUTOPLAY[sound]}`]),
        ...(options.trusting ? ['--ignore-certificate-errors'] : []),
        ...(options.proxyPort === undefined
          ? []
          : [
              `--proxy-server=http://127.0.0.1:${options.proxyPort}`,
              // Or nothing on this machine is asked for through it.
              '--proxy-bypass-list=<-loopback>',
            ]),
      ],
    });
    const open = async () => {
      const context = await browser.newContext({ viewport });
      await context.addInitScript({ content: NAME_SHIM });
      if (capture === 'monitor') {
        await context.addInitScript({ content: pageScript([pickMonitor], null) });
      }
      if (capture === 'tab') await context.addInitScript({ content: sceneScript(scene, '/host') });
      if (sound !== 'made-up') await context.addInitScript({ content: toneScript('/host') });
      const { lacks = [], sessions } = options;
      const overTcp = sessions === 'websocket';
      if (lacks.length > 0 || overTcp) await takeAway(context, lacks, overTcp);
      return context;
    };
    const cdp = await browser.newBrowserCDPSession();
    return new Chromium(browser, open, await open(), cdp, options.sessions);
  }

  get context(): BrowserContext {
    return this.#context;
  }

  async openPlayer(
    relay: Pick<Relay, 'origin'>,
    token: string,
    options: PlayerOptions = {},
  ): Promise<PlayerTab> {
    const { places = [UNCROPPED], everyMs, webTransport = 'works' } = options;
    const context = options.apart ? await this.#openContext() : this.#context;
    const page = await context.newPage();
    await doom(page, fateWith(this.#sessions, webTransport));
    if (options.swallowable) await makeSwallowable(page);
    if (options.ear) await page.addInitScript({ content: earScript('/play') });
    if (places !== null) {
      await page.addInitScript({ content: witnessScript(places, everyMs, '/play') });
    }
    await page.goto(this.#link(relay, 'play', token), { waitUntil: 'commit' });
    await this.onPlayer?.(relay, token);
    return new PlayerTab(page);
  }

  /** The capture host without a panel, as a tab of its own. */
  async openHost(relay: Pick<Relay, 'origin'>, token: string): Promise<HostPage> {
    const page = await this.#context.newPage();
    await page.goto(this.#link(relay, 'host', token));
    return new HostPage(page);
  }

  /** `scale`: pixels of the screen for one of the page's. */
  async openPanel(
    relay: Pick<Relay, 'origin'>,
    token: string,
    { scale = 1 } = {},
  ): Promise<PanelPage> {
    const page = await this.#context.newPage();
    // As wide as a desktop's window; what it opens has its own size.
    await page.setViewportSize({ width: 1280, height: 800 });
    if (scale !== 1) {
      const cdp = await this.#context.newCDPSession(page);
      await cdp.send('Emulation.setDeviceMetricsOverride', {
        width: 1280,
        height: 800,
        deviceScaleFactor: scale,
        mobile: false,
      });
    }
    await page.goto(this.#link(relay, 'admin', token));
    return new PanelPage(page);
  }

  #link({ origin }: Pick<Relay, 'origin'>, page: LinkedPage, token: string): string {
    return (this.bareLinks ? bareLinkTo : linkTo)(origin, page, token);
  }

  /** A page that draws what is brought to it, and whose witness looks at that. */
  async openLens(): Promise<Page> {
    const page = await this.#context.newPage();
    await page.evaluate(witnessScript([UNCROPPED]));
    return page;
  }

  /** The processes of this browser, by kind (browser, renderer, utility ...), with the seconds that each has computed. */
  async processes(): Promise<{ type: string; id: number; cpuTime: number }[]> {
    return (await this.#cdp.send('SystemInfo.getProcessInfo')).processInfo;
  }

  /** Ends all its processes at once, as a power cut would. */
  async kill(): Promise<void> {
    const all = await this.processes();
    const gone = new Promise((resolve) => this.browser.once('disconnected', resolve));
    for (const { id } of all.toSorted((one, other) => order(one.type) - order(other.type))) {
      try {
        process.kill(id, 'SIGKILL');
      } catch {
        // Gone with its browser already.
      }
    }
    await gone;
  }

  async close(): Promise<void> {
    if (this.browser.isConnected()) await this.browser.close();
  }
}

/** A player in a tab of this browser. */
export class PlayerTab extends PlayerPage {
  readonly page: Page;

  constructor(page: Page) {
    super(page);
    this.page = page;
  }
}

/** Has a page's process crash; resolves when the browser has noticed. */
export async function crash(page: Page): Promise<void> {
  const crashed = new Promise((resolve) => page.once('crash', resolve));
  const cdp = await page.context().newCDPSession(page);
  // Its answer never comes.
  cdp.send('Page.crash').catch(() => undefined);
  await crashed;
}

/** What a player's page has that is to have `fate`, in such a browser. */
function fateWith(sessions: ChromiumOptions['sessions'], fate: WebTransportFate): WebTransportFate {
  if (sessions === 'websocket') return 'tcp';
  return sessions === 'without-webrtc' && fate === 'none' ? 'tcp' : fate;
}

/** The browser first, so that it replaces nobody. */
function order(type: string): number {
  return type === 'browser' ? 0 : 1;
}
