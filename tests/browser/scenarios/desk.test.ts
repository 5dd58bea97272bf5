import assert from 'node:assert/strict';
import type { BrowserContext, Locator, Page } from 'playwright-core';
import { violations } from '../src/axe.ts';
import { openDesk } from '../src/desk.ts';
import { tokenIn } from '../src/links.ts';
import { PanelPage } from '../src/pages.ts';
import { readCode } from '../src/qr.ts';
import type { Relay } from '../src/relay.ts';
import { scenario } from '../src/stage.ts';
import { pause, until } from '../src/until.ts';

/** So long a panel is left alone; it asks the relay about once a second. */
const LOOKED_AT_MS = 12_000;

scenario('the desk lists broadcasts, opens and ends them, hands links on', async (stage) => {
  const { relay, broadcast } = stage;
  const admin = await stage.chromium();
  const quiet = await relay.createBroadcast('Quiet one');
  const host = await admin.openHost(relay, broadcast.publishToken);
  await host.waitUntilLive();
  const player = await admin.openPlayer(relay, broadcast.playToken);
  await player.waitForPicture();

  const desk = await deskIn(admin.context, relay);
  const live = row(desk, 'Browser test');
  const other = row(desk, 'Quiet one');
  await live.getByText('1 viewer', { exact: true }).waitFor();
  assert.deepEqual(await told(live), ['Live', '1 viewer', 'Went live: just now', 'Made: just now']);
  assert.deepEqual(await told(other), [
    ...['Not live yet', 'No viewers'],
    ...['Last live: never yet', 'Made: just now'],
  ]);
  assert.deepEqual(await violations(desk), []);

  await assertCopies(desk, other, quiet.links.player);
  await assertRefused(desk, other, quiet.links.player);

  await desk.getByLabel('Title of a new broadcast').fill('Third');
  await desk.getByRole('button', { name: 'Create broadcast' }).click();
  await desk.getByText('“Third” is there').waitFor();
  await row(desk, 'Third').getByText('Not live yet').waitFor();

  await host.page.close();
  await live.getByText('Sharer away').waitFor();
  assert.equal((await told(live))[2], 'Last live: just now');

  await other.getByRole('button', { name: 'End broadcast…' }).click();
  await other.getByRole('button', { name: 'Keep it' }).click();
  assert.equal(await focused(desk), 'End broadcast…');
  await other.getByRole('button', { name: 'End broadcast…' }).click();
  await other.getByRole('button', { name: 'End broadcast', exact: true }).click();
  await other.getByText('Ended by you').waitFor();
  await until('the focus to stay where it was needed', async () => {
    return (await focused(desk)).startsWith('Quiet one');
  });
  await assert.rejects(relay.snapshot(quiet.id), /404/);
  await relay.endBroadcast(broadcast.id);
  await live.getByText('Ended elsewhere').waitFor();
  assert.deepEqual(await violations(desk), []);

  await row(desk, 'Third').getByRole('button', { name: 'Open “Third”' }).click();
  await new PanelPage(desk).waitForPresence('none');
  await desk.getByRole('heading', { name: 'Third' }).waitFor();
  await desk.goBack();
  await row(desk, 'Third').getByText('Not live yet').waitFor();
});

scenario('a wrong key is told, the right one is offered to nobody', async (stage) => {
  const { relay } = stage;
  const { context } = await stage.chromium();
  const desk = await context.newPage();
  await desk.goto(`${relay.origin}/`);
  await desk.getByRole('link', { name: 'Share your own screen' }).click();
  const field = desk.getByLabel('Admin key');
  await field.fill('no such key');
  await desk.getByRole('button', { name: 'Open desk' }).click();
  await desk.getByRole('alert').getByText('The relay does not know this key.').waitFor();
  assert.deepEqual(await violations(desk), []);

  const offered = await desk
    .locator('input')
    .evaluateAll((inputs) =>
      inputs.map((input) => [input.getAttribute('type'), input.getAttribute('autocomplete')]),
    );
  assert.deepEqual(offered, [
    ['text', 'off'],
    ['checkbox', null],
  ]);
  const drawn = await field.evaluate((input) =>
    getComputedStyle(input).getPropertyValue('-webkit-text-security'),
  );
  assert.equal(drawn, 'disc', 'nobody reads it on the screen');

  await field.fill(relay.adminKey);
  await desk.getByRole('button', { name: 'Open desk' }).click();
  await row(desk, 'Browser test').waitFor();
  await desk.reload();
  await row(desk, 'Browser test').getByRole('button', { name: /^Open/ }).click();
  const panel = new PanelPage(desk);
  await panel.waitForPresence('none');
  // A window that the panel opens begins with a copy of what the tab keeps.
  const kept = await desk.evaluate(() => Object.values(sessionStorage).join());
  assert.equal(kept.includes(relay.adminKey), false, 'the capture window gets no admin key');

  await desk.goBack();
  await desk.getByRole('button', { name: 'Lock the desk' }).click();
  await desk.getByLabel('Admin key').waitFor();
  await desk.reload();
  await desk.getByLabel('Admin key').waitFor();
});

scenario('a panel shows one link for viewers, and all about it', async (stage) => {
  const { relay, broadcast } = stage;
  const admin = await stage.chromium();
  const page = await admin.context.newPage();
  const shown = new Set<string>();
  let asked = 0;
  page.on('response', async (response) => {
    const { pathname } = new URL(response.url());
    const isLook = response.request().method() === 'GET' && response.ok();
    if (!isLook || pathname !== `/api/broadcasts/${broadcast.id}`) return;
    const { links } = (await response.json()) as { links: { player: string } };
    asked += 1;
    shown.add(links.player);
  });
  await page.setViewportSize({ width: 1_280, height: 800 });
  await page.goto(broadcast.links.admin);
  const field = page.getByLabel('Link for viewers', { exact: true });
  const link = await until('the link', async () => (await field.inputValue()) || null);
  await pause(LOOKED_AT_MS);
  stage.note(`${asked} answers, ${shown.size} link in them`);
  assert.ok(asked >= 8, `the panel has asked ${asked} times`);
  assert.deepEqual([...shown], [link], 'one link, however often it is asked for');
  assert.equal(link, broadcast.links.player, 'the one that was made with the broadcast');

  await page.getByText('Nobody else reaches this link').waitFor();
  await page.getByText(/^Opens the page until .+ Whoever is inside then stays\.$/).waitFor();
  await page.getByRole('button', { name: 'QR code' }).click();
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    assert.equal(await readCode(page.getByRole('img', { name: /QR code/ })), link, colorScheme);
  }
  assert.deepEqual(await violations(page), []);

  await page.getByRole('button', { name: 'Link with an end…' }).click();
  await page.getByLabel('Access for').selectOption('1');
  await page.getByRole('button', { name: 'Make link' }).click();
  await page.getByText(/^Access ends .+ for whoever is inside as well\.$/).waitFor();
  const timed = tokenIn(await page.getByRole('textbox', { name: 'Link with an end' }).inputValue());
  const claims = JSON.parse(Buffer.from(timed.split('.')[1] ?? '', 'base64url').toString());
  assert.equal(claims.steadycast.expiry, 'stay_until');
  assert.equal(claims.exp - claims.iat, 3_600);
  assert.equal(await field.inputValue(), link, 'the other link stays');
  const player = await admin.openPlayer(relay, timed, { places: null });
  await player.waitForState('waiting');

  await page.getByRole('button', { name: 'End broadcast…' }).click();
  await page.getByRole('button', { name: 'End broadcast', exact: true }).click();
  await page.getByText('You have ended this broadcast').first().waitFor();
});

scenario(
  'the link for viewers is at an address that others reach',
  async (stage) => {
    const { relay, broadcast } = stage;
    const outer = relay.networkOrigin?.replace('http:', 'https:');
    assert.ok(outer, 'this machine is in no network');
    const { context } = await stage.chromium();
    const page = await context.newPage();
    await page.goto(broadcast.links.admin);
    const field = page.getByLabel('Link for viewers', { exact: true });
    const link = await until('the link', async () => (await field.inputValue()) || null);
    assert.equal(link, broadcast.links.player.replace(relay.origin, outer));
    await page.getByText('their browser warns once').waitFor();
    await page.getByLabel('Address in the link').selectOption({ label: ownName(relay) });
    assert.equal(await field.inputValue(), broadcast.links.player);
    await page.getByText('Only this computer reaches').waitFor();

    await page.getByRole('button', { name: 'Replace this link…' }).click();
    await page.getByRole('button', { name: 'Replace link', exact: true }).click();
    await page.getByText('The old one was ended by you').waitFor();
    assert.notEqual(await field.inputValue(), broadcast.links.player);
  },
  { everywhere: true },
);

const ownName = ({ origin }: Relay) => `${new URL(origin).host} (this computer alone)`;

async function deskIn(context: BrowserContext, relay: Relay): Promise<Page> {
  const page = await context.newPage();
  await page.setViewportSize({ width: 1_280, height: 800 });
  await openDesk(page, relay);
  return page;
}

function row(desk: Page, title: string): Locator {
  return desk.getByRole('listitem').filter({ has: desk.getByRole('heading', { name: title }) });
}

/** What the list says of one broadcast: state, viewers, and the times. */
async function told(one: Locator): Promise<string[]> {
  const state = await one.locator('.desk-state > span').allTextContents();
  const names = await one.getByRole('term').allTextContents();
  const times = await one.getByRole('definition').allTextContents();
  return [...state, ...names.map((name, index) => `${name}: ${times[index]}`)];
}

/** What has the focus says. */
function focused(page: Page): Promise<string> {
  return page.evaluate(() => document.activeElement?.textContent ?? '');
}

async function assertCopies(desk: Page, one: Locator, playerLink: string): Promise<void> {
  const origin = new URL(desk.url()).origin;
  await desk.context().grantPermissions(['clipboard-read', 'clipboard-write'], { origin });
  await desk.bringToFront();
  const clipboard = () => desk.evaluate(() => navigator.clipboard.readText());
  await one.getByRole('button', { name: 'Copy viewers’ link' }).click();
  await one.getByText('The viewers’ link is in the clipboard').waitFor();
  assert.equal(await clipboard(), playerLink);
  await one.getByRole('button', { name: 'Copy admin link' }).click();
  await one.getByText('Who has it can share and end').waitFor();
  const first = await clipboard();
  assert.match(first, /\/admin#token=/);
  await one.getByRole('button', { name: 'Copy admin link' }).click();
  await one.getByText('Who has it can share and end').waitFor();
  assert.equal(await clipboard(), first, 'the same again, and not one for each click');
}

/** The browser says no: the link is there, to be copied by hand. */
async function assertRefused(desk: Page, one: Locator, playerLink: string): Promise<void> {
  await forbidCopying(desk);
  await one.getByRole('button', { name: 'Copy viewers’ link' }).click();
  await one.getByRole('alert').getByText('does not let this page copy').waitFor();
  const field = one.getByLabel('Link to be copied by hand');
  assert.equal(await field.inputValue(), playerLink);
  const selected = await field.evaluate((input: HTMLInputElement) =>
    input.value.slice(input.selectionStart ?? 0, input.selectionEnd ?? 0),
  );
  assert.equal(selected, playerLink, 'it is selected as a whole');
}

async function forbidCopying(page: Page): Promise<void> {
  const context = page.context();
  const own = await context.newCDPSession(page);
  const { targetInfo } = await own.send('Target.getTargetInfo');
  const whole = await context.browser()?.newBrowserCDPSession();
  await whole?.send('Browser.setPermission', {
    permission: { name: 'clipboard-write' },
    setting: 'denied',
    origin: new URL(page.url()).origin,
    ...(targetInfo.browserContextId && { browserContextId: targetInfo.browserContextId }),
  });
}
