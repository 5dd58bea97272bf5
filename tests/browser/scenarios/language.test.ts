import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { document } from '../../../web/src/words/en/document.ts';
import { player } from '../../../web/src/words/en/player.ts';
import { start } from '../../../web/src/words/en/start.ts';
import { linkTo } from '../src/links.ts';
import { scenario } from '../src/stage.ts';

/** Every sentence of a table; two words and more, for single ones may be the same in both languages. */
function sentences(table: object): string[] {
  return Object.values(table).flatMap((words: unknown) => {
    if (typeof words === 'string') return words.includes(' ') ? [words] : [];
    return typeof words === 'object' && words !== null ? sentences(words) : [];
  });
}

const ENGLISH = [document, player, start].flatMap(sentences);

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

async function assertGerman(page: Page, what: string): Promise<void> {
  assert.equal(await page.evaluate(() => globalThis.document.documentElement.lang), 'de', what);
  const text = await read(page);
  const found = ENGLISH.filter((sentence) => text.includes(sentence));
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
