/** One scenario: a relay, a broadcast and browsers, cleared away afterwards, kept when it fails. */

import assert from 'node:assert/strict';
import { copyFile, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Page } from 'playwright-core';
import { assertRelayUnharmed, assertUnharmed } from './checks.ts';
import { Chromium, type ChromiumOptions } from './chromium.ts';
import { Firefox } from './firefox.ts';
import type { PlayerPage } from './pages.ts';
import { type Privately, wished } from './privately.ts';
import {
  type BroadcastSnapshot,
  type CreatedBroadcast,
  Relay,
  type RelayOptions,
} from './relay.ts';
import { pause, until, within } from './until.ts';

const ARTIFACTS = join(import.meta.dirname, '../artifacts');
const TIMEOUT_MS = 150_000;
/** Players report to the relay every second. */
const REPORT_MS = 1_100;
/** A screen at rest is shown, too. */
const SHOWN: ReadonlySet<string> = new Set(['live', 'static']);
/** What browsers have; private broadcasts over WebRTC have scenarios of their own. */
const SESSIONS = {
  openly: undefined,
  webtransport: 'without-webrtc',
  firefox: 'without-webrtc',
  websocket: 'websocket',
} as const;

export interface Closable {
  close(): Promise<void>;
  /** Leaves what explains a failure in this directory. */
  keep?(directory: string): Promise<void>;
}

export interface ScenarioOptions {
  /** Flags for the relay. */
  relay?: readonly string[];
  /** Its relay listens on all addresses. */
  everywhere?: boolean;
  /** Flags that depend on where the relay is. */
  flagsAt?: RelayOptions['flagsAt'];
  /** It is played once more in this way, whatever else is wished of a run. */
  alsoPrivately?: Privately;
}

/** A scenario by name; `play` throws when something is not as it should be. */
export function scenario(
  name: string,
  play: (stage: Stage) => Promise<void>,
  options: ScenarioOptions = {},
): void {
  const here = wished();
  played(here === null ? name : `${name} (privately: ${here})`, play, options, here);
  const { alsoPrivately } = options;
  if (here !== null || alsoPrivately === undefined) return;
  played(`${name} (privately: ${alsoPrivately})`, play, options, alsoPrivately);
}

function played(
  name: string,
  play: (stage: Stage) => Promise<void>,
  { relay: flags = [], everywhere = false, flagsAt }: ScenarioOptions,
  privately: Privately | null,
): void {
  test(name, { timeout: TIMEOUT_MS + 30_000 }, async (context) => {
    const wish = { flags, everywhere, ...(flagsAt !== undefined && { flagsAt }) };
    const stage = await Stage.open(context, wish, privately);
    try {
      await within(name, TIMEOUT_MS, play(stage));
      await stage.assertBystander();
    } catch (error) {
      await stage.keep(name).catch(() => undefined);
      throw error;
    } finally {
      await stage.close();
    }
  });
}

export class Stage {
  readonly relay: Relay;
  readonly broadcast: CreatedBroadcast;
  readonly #context: TestContext;
  readonly #privately: Privately | null;
  #bystander: Promise<PlayerPage> | null = null;
  readonly #closables: Closable[] = [];
  readonly #pages = new Set<Page>();
  readonly #console: string[] = [];

  private constructor(
    context: TestContext,
    relay: Relay,
    broadcast: CreatedBroadcast,
    privately: Privately | null,
  ) {
    this.#context = context;
    this.relay = relay;
    this.broadcast = broadcast;
    this.#privately = privately;
  }

  static async open(
    context: TestContext,
    options: RelayOptions,
    privately: Privately | null = null,
  ): Promise<Stage> {
    const relay = await Relay.start({ ...options, isPrivate: privately !== null });
    return new Stage(context, relay, await relay.createBroadcast(), privately);
  }

  /** What sessions of browsers here are on, where nothing is in their way. */
  get carrier(): 'webtransport' | 'websocket' {
    return this.#privately === 'websocket' ? 'websocket' : 'webtransport';
  }

  /** What brings the picture to players without WebTransport. */
  get bridged(): 'whep' | 'websocket' {
    return this.#privately === null ? 'whep' : 'websocket';
  }

  /** So many players are there besides those that a scenario opens. */
  get bystanders(): number {
    return this.#bystander === null ? 0 : 1;
  }

  /** Says what was measured. */
  note(text: string): void {
    this.#context.diagnostic(text);
  }

  async chromium(options: ChromiumOptions = {}): Promise<Chromium> {
    const sessions = SESSIONS[this.#privately ?? 'openly'];
    const chromium = this.closeLater(await Chromium.launch({ sessions, ...options }));
    chromium.context.on('page', (page) => this.#watch(page));
    if (this.#privately === 'firefox') {
      chromium.onPlayer = async ({ origin }, token) => {
        if (origin !== this.relay.origin) return;
        this.#bystander ??= this.#openBystander(token);
        await this.#bystander;
      };
    }
    return chromium;
  }

  /** A player in Firefox over WebTransport, which pages in plain text do not have there. */
  async #openBystander(token: string): Promise<PlayerPage> {
    const firefox = this.closeLater(await Firefox.launch());
    const lens = this.closeLater(await Chromium.launch());
    const origin = this.relay.origin.replace('http:', 'https:');
    return firefox.openPlayer({ origin }, token, await lens.openLens());
  }

  /** Whoever watched in Firefox meanwhile sees what there is to see, and never saw anything else. */
  async assertBystander(): Promise<void> {
    const player = await this.#bystander;
    if (player === null) return;
    const { phase } = await this.snapshot().catch(() => ({ phase: null }));
    if (phase === 'live') {
      await until('Firefox to show it', async () => SHOWN.has((await player.state()).kind));
    }
    const { blackFrames, decoderErrors, framesShown, blankResets } = await player.records();
    const { blank, backwards, read, largestGapMs } = await player.witness();
    const transport = await player.transport();
    this.note(
      `Firefox over ${transport}: ${framesShown} shown, ${read} codes read, largest gap ${largestGapMs.toFixed()} ms`,
    );
    const wrong = { blackFrames, decoderErrors, blankResets, blank, backwards };
    const none = { blackFrames: 0, decoderErrors: 0, blankResets: 0, blank: 0, backwards: 0 };
    assert.deepEqual(wrong, none, 'in Firefox');
    assert.equal(transport, 'webtransport', 'in Firefox');
  }

  closeLater<T extends Closable>(closable: T): T {
    this.#closables.push(closable);
    return closable;
  }

  snapshot(): Promise<BroadcastSnapshot> {
    return this.relay.snapshot(this.broadcast.id);
  }

  /** The checks that every scenario ends with; says what was counted. */
  async assertUnharmed(players: Record<string, PlayerPage>): Promise<BroadcastSnapshot> {
    const reported = pause(REPORT_MS);
    const lines = await Promise.all(
      Object.entries(players).map(([name, player]) => assertUnharmed(name, player)),
    );
    await reported;
    const snapshot = await this.snapshot();
    assert.equal(snapshot.private ?? false, this.relay.isPrivate);
    if (this.carrier === 'websocket') {
      const transports = await Promise.all(Object.values(players).map((one) => one.transport()));
      assert.ok(
        transports.every((one) => one === 'websocket'),
        `over ${transports}`,
      );
    }
    const count = Object.keys(players).length + this.bystanders;
    for (const line of [...lines, assertRelayUnharmed(snapshot, count)]) this.note(line);
    return snapshot;
  }

  /** Keeps what explains a failure: the relay's log, the pages' words, and how they looked. */
  async keep(name: string): Promise<void> {
    const directory = join(ARTIFACTS, name.replaceAll(/[^a-z0-9]+/gi, '-'));
    await rm(directory, { recursive: true, force: true });
    await mkdir(directory, { recursive: true });
    await copyFile(this.relay.logPath, join(directory, 'relay.log'));
    await writeFile(join(directory, 'console.log'), `${this.#console.join('\n')}\n`);
    const snapshot = await this.snapshot().catch((error: unknown) => String(error));
    await writeFile(join(directory, 'broadcast.json'), `${JSON.stringify(snapshot, null, 2)}\n`);
    for (const closable of this.#closables) {
      await closable.keep?.(directory).catch(() => undefined);
    }
    let number = 0;
    for (const page of this.#pages) {
      if (page.isClosed()) continue;
      number += 1;
      const path = new URL(page.url()).pathname.replaceAll('/', '');
      await keepPage(page, join(directory, `${number}-${path}`)).catch(() => undefined);
    }
  }

  async close(): Promise<void> {
    for (const closable of this.#closables.reverse()) {
      await within('closing', 10_000, closable.close()).catch((error) => this.note(String(error)));
    }
    await this.relay.remove();
  }

  #watch(page: Page): void {
    this.#pages.add(page);
    const say = (text: string) => {
      this.#console.push(`${new Date().toISOString()} ${new URL(page.url()).pathname} ${text}`);
    };
    page.on('console', (message) => say(`${message.type()} ${message.text()}`));
    page.on('pageerror', (error) => say(`uncaught ${error.stack ?? error.message}`));
    page.on('crash', () => say('crashed'));
  }
}

async function keepPage(page: Page, path: string): Promise<void> {
  const said = await page.evaluate(() => ({
    records: window.steadycast?.records?.(),
    state: window.steadycast?.state?.(),
    status: window.steadycast?.status?.(),
    witness: window.witness?.report(),
  }));
  await writeFile(`${path}.json`, `${JSON.stringify(said, null, 2)}\n`);
  await page.screenshot({ path: `${path}.png`, timeout: 5_000 });
}
