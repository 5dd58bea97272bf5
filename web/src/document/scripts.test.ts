// @vitest-environment jsdom
import { expect, it } from 'vitest';
import { withWords } from '../../build/documents.ts';
import { LANGUAGES, languageFor } from '../words/language.ts';
import { mark, translate } from './scripts.ts';

function marked(wanted: readonly string[], kept: () => string | null = () => null) {
  const root: Parameters<typeof mark>[0] = { lang: 'en', dataset: {} };
  mark(root, LANGUAGES, wanted, kept);
  return root;
}

it('chooses the language that the pages choose', () => {
  const lists = [[], ['de-DE', 'en'], ['fr', 'DE-at'], ['fr-FR'], ['en-GB', 'de'], ['den', 'de']];
  for (const wanted of lists) expect(marked(wanted).lang).toBe(languageFor(wanted));
  expect(lists.map((wanted) => marked(wanted).lang)).toEqual(['en', 'de', 'de', 'en', 'en', 'de']);
});

it('has the theme that was chosen, and that of the system where nothing is kept', () => {
  const theme = (kept: () => string | null) => marked([], kept).dataset['theme'];
  expect([theme(() => 'dark'), theme(() => 'light'), theme(() => null)]).toEqual([
    'dark',
    'light',
    undefined,
  ]);
  expect(theme(() => 'purple')).toBeUndefined();
  const refuses = () => {
    throw new Error('nothing is kept here');
  };
  expect(theme(refuses)).toBeUndefined();
});

it('puts the words of the tables into documents, and those of the language over them', () => {
  const source =
    '<h1 class="a" words>document.watch</h1><input words-placeholder="document.paste" /><p words-all>document.scriptsToWatch</p>';
  const built = withWords(source);
  expect(built).not.toMatch(/document\.\w+/);
  document.body.innerHTML = built;
  const said = () => [
    document.querySelector('.a')?.textContent,
    document.querySelector('input')?.placeholder,
  ];
  expect(said()).toEqual(['Watch', 'Paste your link here']);
  expect(document.querySelector('p [lang="de"]')?.textContent).toContain('braucht JavaScript');
  document.documentElement.lang = 'de';
  translate(document);
  expect(said()).toEqual(['Zuschauen', 'Füge hier deinen Link ein']);
  expect(() => withWords('<p words>document.nothing</p>')).toThrow(
    /in no table: document\.nothing/,
  );
});
