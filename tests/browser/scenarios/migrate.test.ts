import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { App } from '../src/app.ts';
import type { Chromium } from '../src/chromium.ts';
import { Guide } from '../src/guide.ts';
import { PlayerPage } from '../src/pages.ts';
import { sceneScript } from '../src/scene.ts';
import { NAME_SHIM } from '../src/script.ts';
import { type Stage, scenario } from '../src/stage.ts';
import { doom, peerStates, type WebTransportFate } from '../src/transports.ts';
import { until } from '../src/until.ts';
import { UNCROPPED, witnessScript } from '../src/witness.ts';

const APP = 'tests/peer-to-peer-app';
/** Far less than the seconds for which a picture stands that has to be shared anew. */
const UNNOTICED_MS = 3_000;

/** The admin's page of the app; the scene lies over every page that captures itself. */
class Admin {
  readonly page: Page;
  readonly #app: App;

  private constructor(page: Page, app: App) {
    this.page = page;
    this.#app = app;
  }

  static async open(stage: Stage, app: App): Promise<Admin> {
    const { context } = await stage.chromium();
    // With a device of its own a page tells its addresses to peers, and needs no multicast.
    await context.grantPermissions(['camera'], { origin: app.origin });
    for (const path of ['/admin', '/capture']) {
      await context.addInitScript({ content: sceneScript({}, path) });
    }
    const admin = new Admin(await context.newPage(), app);
    await admin.enter('table-1');
    await admin.login();
    return admin;
  }

  async enter(room: string): Promise<void> {
    await this.page.goto(`${this.#app.origin}/admin?room=${room}`);
  }

  async login(): Promise<void> {
    await this.page.getByLabel('Password').fill('game night');
    await this.#press('Log in');
  }

  async shareOldWay(): Promise<void> {
    await this.#press('Choose screen');
    await this.#press('Start Stream to Players');
  }

  /** Returns the window that captures. */
  async shareNewWay(): Promise<Page> {
    const opened = this.page.context().waitForEvent('page');
    await this.page.getByRole('button', { name: 'Share screen' }).first().click();
    return opened;
  }

  async lookAtNotes(): Promise<void> {
    await this.#press('Notes');
    await this.page.getByLabel('Notes of the game').fill('A dragon comes.');
  }

  async lookAtStream(): Promise<void> {
    await this.#press('Stream');
  }

  /** A row of `/figures`, by the names of its columns. */
  async figures(arm: 'peer-to-peer' | 'steadycast'): Promise<Map<string, string>> {
    const answer = await this.page.request.get(`${this.#app.origin}/figures`);
    const [head = [], ...arms] = tableOf(await answer.text());
    const row = arms.find(([name]) => name === arm) ?? [];
    return new Map(head.map((name, at) => [name, row[at] ?? '']));
  }

  /** The same once viewers have told the last of them, which browsers know after a few seconds. */
  async allFigures(arm: 'peer-to-peer' | 'steadycast'): Promise<Map<string, string>> {
    return until(`all figures of ${arm}`, async () => {
      const row = await this.figures(arm);
      return row.get('p95') !== '–' && row;
    });
  }

  async #press(name: string): Promise<void> {
    await this.page.getByRole('button', { name, exact: true }).click();
  }
}

function tableOf(html: string): string[][] {
  return [...html.matchAll(/<tr>(.*?)<\/tr>/g)].map(([, row = '']) =>
    [...row.matchAll(/<t[hd]>(.*?)<\/t[hd]>/g)].map(([, cell = '']) => cell),
  );
}

interface Visit {
  room?: string;
  fate?: WebTransportFate;
}

class Viewer extends PlayerPage {
  readonly page: Page;

  private constructor(page: Page) {
    super(page);
    this.page = page;
  }

  /** In a window of its own: of a tab beneath another one the browser shows no video. */
  static async open(
    { browser }: Chromium,
    app: App,
    { room = 'table-1', fate = 'works' }: Visit,
  ): Promise<Viewer> {
    const context = await browser.newContext({ viewport: { width: 640, height: 360 } });
    await context.grantPermissions(['camera'], { origin: app.origin });
    await context.addInitScript({ content: NAME_SHIM });
    const page = await context.newPage();
    // The app has one to its own server.
    await doom(page, fate, ['WebSocket']);
    await page.addInitScript({ content: witnessScript([UNCROPPED], 30, '/watch') });
    await page.goto(`${app.origin}/watch?room=${room}`);
    return new Viewer(page);
  }

  async assertNothingNoticed(): Promise<void> {
    await this.waitForPicture();
    const { largestGapMs } = await this.witness();
    assert.ok(largestGapMs < UNNOTICED_MS, `the picture stood still for ${largestGapMs} ms`);
  }

  /** Sees what comes over a peer connection of the app's own. */
  async assertOldWay(): Promise<void> {
    await this.waitForPicture();
    assert.equal((await peerStates(this.page)).at(-1), 'connected');
    assert.equal(await this.page.locator('.player').count(), 0);
  }

  async assertNewWay(): Promise<void> {
    await this.page.locator('.player').waitFor();
    await this.waitForPicture();
  }
}

scenario('before: the picture dies when the admin looks at another tab', async (stage) => {
  const app = stage.closeLater(await App.copyOf(APP));
  await app.build();
  await app.serve();
  const admin = await Admin.open(stage, app);
  const viewer = await Viewer.open(await stage.chromium(), app, {});
  await admin.shareOldWay();
  await viewer.assertOldWay();
  await viewer.resetWitness();
  await admin.lookAtNotes();
  await until('the connection to be lost', async () => {
    const [state] = await peerStates(viewer.page);
    return state !== 'connected';
  });
  await admin.lookAtStream();
  await admin.shareOldWay();
  await viewer.waitForPicture();
  const { largestGapMs } = await viewer.witness();
  assert.ok(largestGapMs > UNNOTICED_MS, `the picture stood still for ${largestGapMs} ms`);
  stage.note(`the picture stood still for ${largestGapMs} ms`);
});

/** The app on its way, as far as it has come. */
class Move {
  readonly app: App;
  readonly audience: Chromium;
  readonly #guide: Guide;
  readonly #stage: Stage;

  private constructor(stage: Stage, guide: Guide, app: App, audience: Chromium) {
    this.#stage = stage;
    this.#guide = guide;
    this.app = app;
    this.audience = audience;
  }

  static async begin(stage: Stage): Promise<Move> {
    const app = stage.closeLater(await App.copyOf(APP));
    await app.installPackage();
    return new Move(stage, await Guide.read(), app, await stage.chromium());
  }

  /** Does what the guide says for this step. */
  step(number: number): Promise<void> {
    return this.#guide.follow(this.app, number);
  }

  async deploy(): Promise<void> {
    const { origin, adminKey } = this.#stage.relay;
    await this.app.typecheck();
    await this.app.build({ VITE_RELAY: origin });
    await this.app.serve({ RELAY_URL: origin, RELAY_ADMIN_KEY: adminKey });
  }

  /** Takes effect where an admin opens the panel. */
  async flag(admin: Admin, flag: { rooms: string[]; percent?: number }): Promise<void> {
    await this.app.write('flag.json', JSON.stringify(flag));
    await admin.page.reload();
  }

  watch(visit: Visit = {}): Promise<Viewer> {
    return Viewer.open(this.audience, this.app, visit);
  }

  /** The status of what the app answers somebody who has not logged in, and asks to watch this room. */
  async askToWatch(room: string): Promise<number> {
    return (await fetch(`${this.app.origin}/api/play-token?${new URLSearchParams({ room })}`))
      .status;
  }

  /** The ids of all broadcasts that the relay has. */
  async broadcasts(): Promise<string[]> {
    const { origin, adminKey } = this.#stage.relay;
    const headers = { authorization: `Bearer ${adminKey}` };
    const answer = await fetch(`${origin}/api/broadcasts`, { headers });
    const { broadcasts } = (await answer.json()) as { broadcasts: { id: string }[] };
    return broadcasts.map(({ id }) => id);
  }
}

scenario('the steps of docs/MIGRATE.md take the app to Steadycast, and back', async (stage) => {
  const move = await Move.begin(stage);
  await move.step(1);
  await move.deploy();
  const admin = await Admin.open(stage, move.app);
  await move.app.write('flag.json', JSON.stringify({ rooms: ['table-2'] }));
  await comeFirst(move, admin, 'table-2');
  await admin.enter('table-1');
  await tryOneRoom(move, admin);

  await move.step(2);
  await move.deploy();
  await move.flag(admin, { rooms: [], percent: 0 });
  await admin.login();
  const viewer = await move.watch();
  await countOldWay(stage, admin, viewer);
  await move.flag(admin, { rooms: [], percent: 100 });
  await countNewWay(stage, admin, viewer);
  await move.flag(admin, { rooms: [], percent: 0 });
  await admin.shareOldWay();
  await until('the player to make room', async () => {
    return (await viewer.page.locator('.player').count()) === 0;
  });
  await viewer.assertOldWay();

  await move.step(3);
  await admin.page.reload();
  await admin.shareNewWay();
  await viewer.assertNewWay();
  await removeOldWay(move, admin, viewer);
  await comeFirst(move, admin, 'table-3');
});

/** Of a room that goes by Steadycast, and whose admin has not been there yet. */
async function comeFirst(move: Move, admin: Admin, room: string): Promise<void> {
  const before = await move.broadcasts();
  const early = await move.watch({ room });
  await early.page.getByText('Waiting for the admin').waitFor();
  assert.equal(await move.askToWatch('a-stranger-made-this-up'), 404);
  assert.equal(await move.askToWatch('No Such Name'), 400);
  assert.deepEqual(await move.broadcasts(), before);
  await admin.enter(room);
  const host = await admin.shareNewWay();
  // Without a reload.
  await early.assertNewWay();
  assert.deepEqual((await move.broadcasts()).toSorted(), [...before, `room-${room}`].toSorted());
  await early.page.close();
  await host.close();
}

async function tryOneRoom(move: Move, admin: Admin): Promise<void> {
  const viewer = await move.watch();
  await admin.shareOldWay();
  await viewer.assertOldWay();
  await move.flag(admin, { rooms: ['table-1'] });
  const host = await admin.shareNewWay();
  for (const fate of ['alone', 'none'] as const) {
    const other = await move.watch({ fate });
    await other.assertNewWay();
    await other.page.close();
  }
  // Without a reload.
  await viewer.assertNewWay();
  await viewer.page.close();
  await host.close();
}

async function countOldWay(stage: Stage, admin: Admin, viewer: Viewer): Promise<void> {
  await admin.shareOldWay();
  await viewer.assertOldWay();
  const before = await admin.allFigures('peer-to-peer');
  await admin.lookAtNotes();
  const after = await interruption(admin, 'peer-to-peer', before);
  stage.note([...after.values()].join(', '));
}

async function countNewWay(stage: Stage, admin: Admin, viewer: Viewer): Promise<void> {
  const host = await admin.shareNewWay();
  await viewer.assertNewWay();
  const before = await admin.allFigures('steadycast');
  await viewer.resetWitness();
  await admin.lookAtNotes();
  await admin.lookAtStream();
  await admin.page.reload();
  await viewer.assertNothingNoticed();
  await viewer.page.waitForRequest('**/figures');
  const after = await admin.figures('steadycast');
  stage.note([...after.values()].join(', '));
  assert.equal(after.get('interruptions'), before.get('interruptions'));
  assert.match(after.get('first picture') ?? '', /^\d+ ms$/);
  // What really ends the capture is counted here as well.
  await host.close();
  await interruption(admin, 'steadycast', after);
}

/** Waits until one more is counted. */
async function interruption(
  admin: Admin,
  arm: 'peer-to-peer' | 'steadycast',
  before: Map<string, string>,
): Promise<Map<string, string>> {
  return until(`an interruption of ${arm}`, async () => {
    const row = await admin.figures(arm);
    return Number(row.get('interruptions')) > Number(before.get('interruptions')) && row;
  });
}

async function removeOldWay(move: Move, admin: Admin, viewer: Viewer): Promise<void> {
  await viewer.resetWitness();
  await move.step(4);
  for (const name of ['ws', '@types/ws']) await move.app.remove(`node_modules/${name}`);
  await assert.rejects(move.app.shell('grep -rnE "RTCPeerConnection|WebSocket" client server'), {
    code: 1,
  });
  await move.deploy();
  await admin.page.reload();
  await admin.login();
  const newcomer = await move.watch();
  await newcomer.assertNewWay();
  await newcomer.resetWitness();
  await admin.lookAtNotes();
  await admin.lookAtStream();
  await admin.page.reload();
  for (const one of [viewer, newcomer]) await one.assertNothingNoticed();
}
