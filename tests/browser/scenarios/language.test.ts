import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { capture } from '../../../web/src/words/en/capture.ts';
import { crop } from '../../../web/src/words/en/crop.ts';
import { desk } from '../../../web/src/words/en/desk.ts';
import { document } from '../../../web/src/words/en/document.ts';
import { figures } from '../../../web/src/words/en/figures.ts';
import { host } from '../../../web/src/words/en/host.ts';
import { links } from '../../../web/src/words/en/links.ts';
import { player } from '../../../web/src/words/en/player.ts';
import { quality } from '../../../web/src/words/en/quality.ts';
import { sharing } from '../../../web/src/words/en/sharing.ts';
import { start } from '../../../web/src/words/en/start.ts';
import { troubles } from '../../../web/src/words/en/troubles.ts';
import { viewers } from '../../../web/src/words/en/viewers.ts';
import { linkTo } from '../src/links.ts';
import { scenario } from '../src/stage.ts';

/** Every sentence of a table; two words and more, for single ones and units may be the same in both languages. */
function sentences(table: object): string[] {
  return Object.values(table).flatMap((words: unknown) => {
    if (typeof words === 'string')
      return /\p{L}{4,}/u.test(words) && words.includes(' ') ? [words] : [];
    return typeof words === 'object' && words !== null ? sentences(words) : [];
  });
}

const VIEWERS = [document, player, start].flatMap(sentences);
const PANEL = [crop, desk, figures, host, links, quality, sharing, troubles, viewers].flatMap(
  sentences,
);
const WINDOW = [capture, host, sharing].flatMap(sentences);

/** All that is read of a page, by eyes or by screen readers. */
function read(page: Page): Promise<string> {
  return page.evaluate(() => {
    const named = [...globalThis.document.querySelectorAll('[title], [aria-label], [placeholder]')];
    const names = named.flatMap((element) =>
      ['title', 'aria-label', 'placeholder'].map((name) => element.getAttribute(name) ?? ''),
    );
    // biome-ignore lint/performance/useDomNodeTextContent: what is not shown is not read.
    return [globalThis.document.title, globalThis.document.body.innerText, ...names].join('\n');
  });
}

async function assertGerman(page: Page, what: string, english = VIEWERS): Promise<void> {
  assert.equal(await page.evaluate(() => globalThis.document.documentElement.lang), 'de', what);
  const text = await read(page);
  const found = english.filter((sentence) => text.includes(sentence));
  assert.deepEqual(found, [], what);
}

scenario('a German browser is spoken to in German, from the first thing on', async (stage) => {
  const { relay, broadcast } = stage;
  const { browser } = await stage.chromium();
  const context = await browser.newContext({ locale: 'de-DE' });
  const begin = await context.newPage();
  await begin.goto(relay.origin);
  await begin.getByPlaceholder('Füge hier deinen Link ein').waitFor();
  await begin.getByRole('button', { name: 'Zuschauen' }).click();
  await begin.getByText('Das ist keine Einladung.').waitFor();
  await assertGerman(begin, 'start');

  const page = await context.newPage();
  // The document alone.
  await page.route('**/assets/*.js', (route) => route.abort());
  await page.goto(linkTo(relay.origin, 'play', broadcast.playToken));
  await page.getByText('Verbinden…').waitFor();
  assert.equal(await page.title(), 'Verbinden · Steadycast');
  await assertGerman(page, 'joining');
  await page.unroute('**/assets/*.js');
  await page.reload();
  await page.getByText('Warten auf den Host').first().waitFor();
  await page.getByRole('button', { name: 'Details' }).click();
  await page.getByRole('button', { name: 'Tastenkürzel' }).click();
  await page.getByRole('dialog', { name: 'Tastenkürzel' }).waitFor();
  await assertGerman(page, 'player');
  await relay.endBroadcast(broadcast.id);
  await page.keyboard.press('Escape');
  await page.getByText('Die Übertragung ist beendet').first().waitFor();
  await assertGerman(page, 'ended');
});

scenario('a German admin shares in German', async (stage) => {
  const { relay, broadcast } = stage;
  const { browser } = await stage.chromium();
  const context = await browser.newContext({
    locale: 'de-DE',
    viewport: { width: 1280, height: 800 },
  });
  const page = await context.newPage();
  await page.goto(linkTo(relay.origin, 'admin', broadcast.publishToken));
  await page.getByRole('heading', { name: 'Browser test' }).waitFor();
  await assertGerman(page, 'not sharing', PANEL);
  const opened = context.waitForEvent('page');
  await page.getByRole('button', { name: 'Bildschirm teilen' }).first().click();
  const window = await opened;
  await page.getByRole('button', { name: 'Bild anhalten' }).waitFor();
  await window.getByRole('button', { name: 'Anderen Bildschirm teilen' }).waitFor();
  await assertGerman(page, 'sharing', PANEL);
  await assertGerman(window, 'capture window', WINDOW);
  await page.getByRole('button', { name: 'Bild anhalten' }).click();
  await window.getByText('Zuschauer sehen eine Karte statt deines Bildes').first().waitFor();
  await assertGerman(page, 'paused', PANEL);
  await page.getByRole('button', { name: 'Teilen beenden' }).click();
  await page.getByText('Das Teilen ist angehalten').first().waitFor();
  await assertGerman(page, 'stopped', PANEL);
});
