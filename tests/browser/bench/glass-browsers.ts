/** The browsers of a measurement from glass to glass: each its own process, behind a command. */

import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import type { Quality } from '../../../web/src/publish/quality.ts';
import { COMMON_FLAGS, EXECUTABLE } from '../src/chromium.ts';
import { type EyeReport, eyeScript } from '../src/eye.ts';
import { tokenIn } from '../src/links.ts';
import { HostPage, PlayerPage } from '../src/pages.ts';
import { type ReadingOptions, readingScript } from '../src/reading.ts';
import { NAME_SHIM, pageScript } from '../src/script.ts';
import { toneScript } from '../src/tone.ts';
import { doom, type WebTransportFate } from '../src/transports.ts';
import { until } from '../src/until.ts';
import { slowEncoders } from './slow-encoder.ts';

const VIEWPORT = { width: 1280, height: 720 };

/** A busy machine takes its time to start a browser and an encoder. */
const LIVE_WITHIN_MS = 90_000;
const TONE_HZ = 440;

export type GlassTransport = 'webtransport' | 'whep' | 'websocket' | 'auto';

const FATES: Record<GlassTransport, WebTransportFate> = {
  webtransport: 'alone',
  whep: 'none',
  websocket: 'tcp',
  auto: 'works',
};

export interface BrowserOptions {
  /** A command that the browser is run by, as in `ip netns exec NAME`; empty: none. */
  exec: string;
  /** Where its page comes from. */
  link: URL;
}

/** A browser and what is to be cleared away after it. */
export class GlassBrowser {
  readonly browser: Browser;
  readonly #wrapper: string | null;

  private constructor(browser: Browser, wrapper: string | null) {
    this.browser = browser;
    this.#wrapper = wrapper;
  }

  /**
   * `sounds`: what its pages play is heard without a gesture, and its made-up microphone has a tone; behind a command
   * there may be no output, and it is muted.
   */
  static async launch(
    { exec, link }: BrowserOptions,
    sounds: boolean,
    flags: string[],
  ): Promise<GlassBrowser> {
    const wrapper = exec === '' ? null : await mkdtemp(join(tmpdir(), 'steadycast-exec-'));
    const executablePath = wrapper === null ? EXECUTABLE : join(wrapper, 'chromium');
    const tone = wrapper !== null && sounds ? join(wrapper, 'tone.wav') : null;
    if (wrapper !== null) {
      await writeFile(executablePath, `#!/bin/sh\nexec ${exec} ${EXECUTABLE} "$@"\n`);
      await chmod(executablePath, 0o755);
    }
    if (tone !== null) await writeFile(tone, toneFile(TONE_HZ));
    const browser = await chromium.launch({
      executablePath,
      headless: true,
      ignoreDefaultArgs: [
        '--disable-quic',
        ...(sounds && wrapper === null ? ['--mute-audio'] : []),
      ],
      args: [
        ...COMMON_FLAGS,
        '--ignore-certificate-errors',
        // What is served without encryption at another address than this machine's own.
        `--unsafely-treat-insecure-origin-as-secure=${link.origin}`,
        ...(sounds ? ['--autoplay-policy=no-user-gesture-required'] : []),
        ...(tone === null ? [] : [`--use-file-for-fake-audio-capture=${tone}`]),
        ...flags,
      ],
    });
    return new GlassBrowser(browser, wrapper);
  }

  async openPage(): Promise<Page> {
    const context = await this.browser.newContext({
      viewport: VIEWPORT,
      ignoreHTTPSErrors: true,
    });
    await context.addInitScript({ content: NAME_SHIM });
    return context.newPage();
  }

  async close(): Promise<void> {
    if (this.browser.isConnected()) await this.browser.close();
    if (this.#wrapper !== null) await rm(this.#wrapper, { recursive: true, force: true });
  }
}

/** A browser whose host captures a page of moving text, and with `sounds` its sound: a tone all the time, if it can be. */
export async function openHost(
  options: BrowserOptions & { slower: number; sounds: boolean },
  reading: ReadingOptions,
  quality: Quality,
): Promise<{ glass: GlassBrowser; host: HostPage }> {
  // Where the browser is muted a tab has no sound: there it is that of the made-up microphone.
  const toned = options.sounds && options.exec === '';
  const capture = toned
    ? ['--auto-accept-this-tab-capture']
    : [
        '--use-fake-ui-for-media-stream',
        '--use-fake-device-for-media-stream=display-media-type=browser',
      ];
  const glass = await GlassBrowser.launch(options, options.sounds, capture);
  const page = await glass.openPage();
  if (options.slower > 1) await slowEncoders(page, options.slower);
  if (toned) await page.addInitScript({ content: toneScript('/host') });
  if (!options.sounds) await page.addInitScript({ content: pageScript([captureSilently], null) });
  await page.addInitScript({ content: readingScript(reading, '/host') });
  await page.goto(`${options.link.origin}/`);
  await page.evaluate(rememberQuality, { broadcast: broadcastOf(options.link), quality });
  await page.goto(`${options.link.origin}/host${options.link.hash}`);
  const host = new HostPage(page);
  const live = async () => {
    const status = await host.status();
    return status?.state === 'live' && status.picture?.width === VIEWPORT.width;
  };
  await until('the host to be live', live, { withinMs: LIVE_WITHIN_MS, everyMs: 100 });
  await page.evaluate((hertz) => window.tone?.play(hertz), TONE_HZ);
  return { glass, host };
}

/** A player in a browser of its own. */
export class GlassPlayer extends PlayerPage {
  readonly page: Page;
  readonly glass: GlassBrowser;

  private constructor(page: Page, glass: GlassBrowser) {
    super(page);
    this.page = page;
    this.glass = glass;
  }

  static async open(
    options: BrowserOptions & { listens: boolean },
    transport: GlassTransport,
    stored: Record<string, string>,
  ): Promise<GlassPlayer> {
    const glass = await GlassBrowser.launch(options, options.listens, []);
    const page = await glass.openPage();
    await doom(page, FATES[transport]);
    await page.addInitScript({
      content: `Object.assign(localStorage, ${JSON.stringify(stored)});`,
    });
    await page.addInitScript({ content: eyeScript('/play') });
    await page.goto(options.link.href, { waitUntil: 'commit' });
    return new GlassPlayer(page, glass);
  }

  async eye(): Promise<EyeReport> {
    return (await this.page.evaluate('window.eye.report()')) as EyeReport;
  }

  async waitForSight(withinMs: number): Promise<void> {
    await until('a first sight', async () => (await this.eye()).firstMs !== null, {
      withinMs,
      everyMs: 100,
    });
  }

  async resetEye(): Promise<void> {
    await this.page.evaluate('window.eye.reset()');
  }
}

/** A second of a tone that can be repeated without a seam: a WAV file of 16 bits, two channels at 48 kHz. */
function toneFile(hertz: number): Buffer {
  const [rate, channels, header] = [48_000, 2, 44];
  const file = Buffer.alloc(header + rate * channels * 2);
  file.write('RIFF', 0);
  file.writeUInt32LE(file.length - 8, 4);
  file.write('WAVEfmt ', 8);
  file.writeUInt32LE(16, 16);
  file.writeUInt16LE(1, 20);
  file.writeUInt16LE(channels, 22);
  file.writeUInt32LE(rate, 24);
  file.writeUInt32LE(rate * channels * 2, 28);
  file.writeUInt16LE(channels * 2, 32);
  file.writeUInt16LE(16, 34);
  file.write('data', 36);
  file.writeUInt32LE(rate * channels * 2, 40);
  for (let at = 0; at < rate; at += 1) {
    const value = Math.round(8_000 * Math.sin((2 * Math.PI * hertz * at) / rate));
    for (let channel = 0; channel < channels; channel += 1) {
      file.writeInt16LE(value, header + (at * channels + channel) * 2);
    }
  }
  return file;
}

/** Has a page capture what it shares without its sound. */
function captureSilently(): void {
  const { mediaDevices } = navigator;
  const ask = mediaDevices.getDisplayMedia.bind(mediaDevices);
  mediaDevices.getDisplayMedia = (options) => ask({ ...options, audio: false });
}

/** The broadcast that a link's token is for (PROTOCOL 6.1). */
function broadcastOf(link: URL): string {
  const claims = tokenIn(link).split('.')[1] ?? '';
  const { steadycast } = JSON.parse(Buffer.from(claims, 'base64url').toString()) as {
    steadycast: { broadcast: string };
  };
  return steadycast.broadcast;
}

/** Runs in a page of the relay: what the host finds there when it opens. */
function rememberQuality(given: { broadcast: string; quality: Quality }): Promise<void> {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open('steadycast', 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore('broadcasts');
    opening.onerror = () => reject(opening.error);
    opening.onsuccess = () => {
      const database = opening.result;
      const transaction = database.transaction('broadcasts', 'readwrite');
      const kept = { quality: given.quality, savedMs: Date.now() };
      transaction.objectStore('broadcasts').put(kept, given.broadcast);
      transaction.oncomplete = () => {
        database.close();
        resolve();
      };
      transaction.onerror = () => reject(transaction.error);
    };
  });
}
