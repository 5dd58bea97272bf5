import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { violations } from '../src/axe.ts';
import { linkTo } from '../src/links.ts';
import { scenario } from '../src/stage.ts';
import { until } from '../src/until.ts';

/** All that is wrong of all states at once, for whoever mends it. */
class Findings {
  readonly #found: string[] = [];
  #looks = 0;

  async look(what: string, page: Page): Promise<void> {
    this.#looks += 1;
    const landmarks = await page.evaluate(() => ({
      h1: document.querySelectorAll('h1').length,
      main: document.querySelectorAll('main').length,
    }));
    if (landmarks.h1 !== 1) this.#found.push(`${what}: ${landmarks.h1} h1`);
    if (landmarks.main !== 1) this.#found.push(`${what}: ${landmarks.main} main`);
    for (const line of await violations(page)) this.#found.push(`${what}: ${line}`);
  }

  assertNone(looks: number): void {
    assert.equal(this.#found.join('\n'), '');
    assert.equal(this.#looks, looks);
  }
}

scenario('axe finds nothing on the start page and where no picture is', async (stage) => {
  const { relay, broadcast } = stage;
  const { context } = await stage.chromium();
  const findings = new Findings();
  const page = await context.newPage();
  await page.goto(relay.origin);
  await findings.look('start', page);
  await page.getByRole('button', { name: 'Watch' }).click();
  await page.getByText('That is no invitation').waitFor();
  await findings.look('start, no link', page);

  const play = async (what: string, token: string, heading: string) => {
    const player = await context.newPage();
    await player.goto(linkTo(relay.origin, 'play', token));
    await player.getByText(heading).first().waitFor();
    await findings.look(what, player);
    return player;
  };
  await context.route('**/assets/*.js', (route) => route.abort());
  await (await play('joining', broadcast.playToken, 'Joining…')).close();
  await context.unroute('**/assets/*.js');
  const waiting = await play('waiting', broadcast.playToken, 'Waiting for the host to start');
  await waiting.keyboard.press('i');
  await waiting.locator('.player-details').waitFor();
  await findings.look('details', waiting);
  await waiting.keyboard.press('?');
  await waiting.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor();
  await findings.look('shortcuts', waiting);
  await waiting.keyboard.press('Escape');
  await until('the focus to be back', () =>
    waiting.evaluate(() => document.activeElement?.closest('dialog') === null),
  );
  await waiting.keyboard.press('s');
  await waiting.getByRole('group', { name: 'Motion' }).waitFor();
  await findings.look('motion', waiting);
  await play('no token', '', 'Open your link once more');
  await play('refused', `${broadcast.playToken.slice(0, -2)}xx`, 'This link does not open');
  await play('link for sharing', broadcast.publishToken, 'This is the link for sharing');
  await context.addInitScript(() => {
    Reflect.deleteProperty(window, 'VideoDecoder');
    Reflect.deleteProperty(window, 'RTCPeerConnection');
  });
  await play('unsupported', broadcast.playToken, 'This browser cannot decode the picture');
  findings.assertNone(11);
});

scenario('axe finds nothing on the player in any state of a broadcast', async (stage) => {
  const { relay, broadcast } = stage;
  const admin = await stage.chromium({ viewport: { width: 900, height: 600 } });
  const findings = new Findings();
  const panel = await admin.openPanel(relay, broadcast.publishToken);
  const host = await panel.share();
  await host.waitUntilLive();
  await panel.choose('When the window closes', 'picture');
  await panel.waitForQuality({ onEnd: 'picture' });
  const player = await admin.openPlayer(relay, broadcast.playToken);
  const { page } = player;
  await player.waitForPicture();
  const picture = page.getByRole('img', { name: 'Shared screen: Browser test' });
  await picture.waitFor();
  await findings.look('live', page);
  await picture.focus();
  await page.keyboard.press('+');
  await page.getByRole('button', { name: 'Show the whole picture' }).waitFor();
  await findings.look('magnified', page);
  await panel.page.getByRole('button', { name: 'Pause the picture' }).click();
  await player.waitForState('paused');
  await findings.look('paused', page);
  await panel.page.getByRole('button', { name: 'Show the picture again' }).click();
  await player.waitForPicture();
  await host.page.close();
  await player.waitForState('away');
  await findings.look('away', page);
  await page.getByRole('button', { name: 'Put this note aside' }).click();
  await findings.look('away, put aside', page);
  await relay.stop('SIGKILL');
  await player.waitForState('reconnecting');
  await findings.look('reconnecting', page);
  await relay.startAgain();
  await until('the player to be back', async () => {
    return (await player.state()).kind !== 'reconnecting';
  });
  await relay.endBroadcast(broadcast.id);
  await player.waitForState('ended');
  await findings.look('ended', page);
  findings.assertNone(7);
});

scenario('axe finds nothing on the panel and in the capture window', async (stage) => {
  const { relay, broadcast } = stage;
  const admin = await stage.chromium({ viewport: { width: 900, height: 600 } });
  const findings = new Findings();
  const begin = await admin.context.newPage();
  await begin.goto(`${relay.origin}/admin`);
  await begin.getByLabel('Admin key').waitFor();
  await findings.look('desk, no key', begin);
  const strange = await admin.context.newPage();
  await strange.goto(`${relay.origin}/host`);
  await strange.getByRole('heading', { name: 'This link cannot share' }).waitFor();
  await findings.look('capture, no link', strange);

  const panel = await admin.openPanel(relay, broadcast.publishToken);
  const { page } = panel;
  await page.getByRole('heading', { name: 'Browser test' }).waitFor();
  await findings.look('not sharing', page);
  const host = await panel.share();
  await host.waitUntilLive();
  await panel.waitForState('live');
  await findings.look('live', page);
  await findings.look('capture, live', host.page);
  await page.getByText('All figures').click();
  await findings.look('all figures', page);
  await page.getByRole('button', { name: 'Pause the picture' }).click();
  await panel.waitForState('paused');
  await findings.look('paused', page);
  await findings.look('capture, paused', host.page);
  await page.getByRole('button', { name: 'Stop sharing' }).click();
  await panel.waitForState('stopped');
  await findings.look('stopped', page);
  await relay.endBroadcast(broadcast.id);
  await page.reload();
  await page.getByText('This link leads nowhere').first().waitFor();
  await findings.look('ended', page);
  findings.assertNone(10);
});

scenario(
  'the theme that is chosen holds before anything is painted, on every page',
  async (stage) => {
    const { relay, broadcast } = stage;
    const { context } = await stage.chromium();
    const page = await context.newPage();
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.goto(relay.origin);
    const ground = (of: Page) => of.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const dark = await ground(page);
    await page.getByLabel('Theme').selectOption('light');
    await until('a light page', async () => (await ground(page)) !== dark);
    const light = await ground(page);
    const player = await context.newPage();
    await player.emulateMedia({ colorScheme: 'dark' });
    // Whatever the document says before any of its files is there.
    await player.route('**/assets/*', (route) => route.abort());
    await player.goto(linkTo(relay.origin, 'play', broadcast.playToken));
    assert.equal(await ground(player), light);
    await player.unroute('**/assets/*');
    await player.reload();
    // Once screen readers are told so keys work as well.
    const told = player.locator('[aria-live]', { hasText: 'Waiting for the host to start' });
    await told.waitFor({ state: 'attached' });
    await player.keyboard.press('i');
    await player.getByLabel('Theme').selectOption('System');
    await until('both to be as the system', async () => {
      return (await ground(player)) === dark && (await ground(page)) === dark;
    });
  },
);
