/** The table of MIGRATE.md that says what stands here for what a plan names: whether all of that is there. */

import { existsSync, readFileSync, statSync } from 'node:fs';

const HEADING = '## What the plan calls what';
const DOCS = new URL('../', import.meta.url);
/** How a cell without a link begins: what is not here has no file, and what is a choice of the app's no test. */
const UNLINKED = { here: /^\**(not yet|nothing)\b/i, test: /^none: \S/ };

/** Throws where a row of `page` has an empty cell or names a file, a name or a test that is not there. */
export function checkPlan(page: string): void {
  const rows = rowsOf(page);
  const faults = rows.flatMap((cells) => {
    const [name = ''] = cells;
    return faultsOf(cells).map((fault) => `${name}: ${fault}`);
  });
  if (rows.length === 0) faults.push(`no table under "${HEADING}"`);
  if (faults.length > 0)
    throw new Error(`MIGRATE.md, what the plan calls what:\n${faults.join('\n')}`);
}

/** The cells of each row below a table's head, of all tables of the section. */
function rowsOf(page: string): string[][] {
  const [, section = ''] = page.split(`\n${HEADING}\n`);
  const lines = (section.split('\n## ')[0] ?? '').split('\n');
  const isHead = (line: string, next = '') => /^\|[-| ]+$/.test(line) || /^\|[-| ]+$/.test(next);
  return lines
    .filter((line, at) => line.startsWith('|') && !isHead(line, lines[at + 1]))
    .map((line) =>
      line
        .replace(/^\||\|$/g, '')
        .split('|')
        .map((cell) => cell.trim()),
    );
}

function faultsOf(cells: string[]): string[] {
  const [name = '', here = '', , test = ''] = cells;
  if (cells.length !== 4) return [`${cells.length} cells, not 4`];
  const faults = cells.includes('') ? ['an empty cell'] : [];
  if (codesIn(name).length === 0) faults.push('its name does not stand in backticks');
  return [...faults, ...faultsHere(here), ...faultsOfTests(test)];
}

/** What stands in a link's words has to be in that file, other names in one of those that the cell links. */
function faultsHere(cell: string): string[] {
  const links = linksIn(cell);
  if (links.length === 0 && !UNLINKED.here.test(cell)) return ['what it is here links no file'];
  const missing = links.filter(({ href }) => !existsSync(fileOf(href)));
  if (missing.length > 0) return missing.map(({ href }) => `no file ${href}`);
  const all = links.map(({ href }) => textOf(href)).join('\n');
  const faults = links.flatMap(({ words, href }) =>
    codesIn(words)
      .filter((code) => !hasWord(textOf(href), code))
      .map((code) => `no ${code} in ${href}`),
  );
  const beside = codesIn(cell.replace(LINK, '')).filter((code) => !hasWord(all, code));
  return [...faults, ...beside.map((code) => `no ${code} in what it links`)];
}

/** Links to files, and behind each the titles of tests in it, in quotes. */
function faultsOfTests(cell: string): string[] {
  return UNLINKED.test.test(cell) ? [] : cell.split(/(?=\[[^\]]*\]\()/).flatMap(testFaults);
}

function testFaults(part: string): string[] {
  const [link] = linksIn(part);
  if (link === undefined) return [`no link to a test in "${part}"`];
  if (!existsSync(fileOf(link.href))) return [`no file ${link.href}`];
  const titles = [...part.matchAll(/"([^"]+)"/g)].map(([, title = '']) => title);
  if (titles.length === 0) return [`no test named of ${link.href}`];
  const known = titlesIn(textOf(link.href));
  return titles
    .filter((title) => !known.some((one) => one.test(title)))
    .map((title) => `no test "${title}" in ${link.href}`);
}

/** Of a title with `${...}` in it only the rest is known. */
function titlesIn(text: string): RegExp[] {
  const rust = /#\[(?:\w+::)?test\b[^\]]*\]\s*(?:#\[[^\]]*\]\s*)*(?:async )?fn (\w+)/g;
  const script = /\b(?:it|test|scenario)(?:\.each\([\s\S]*?\))?\(\s*(['"`])((?:\\.|(?!\1).)+)\1/g;
  const names = [...text.matchAll(rust)].map(([, name = '']) => name);
  const titles = [...text.matchAll(script)].map(([, , title = '']) =>
    title.replace(/\\(.)/g, '$1'),
  );
  return [...names, ...titles].map((title) => {
    const known = title.split(/\$\{[^}]*\}/).map(literal);
    return new RegExp(`^${known.join('.+')}$`);
  });
}

const LINK = /\[([^\]]*)\]\(([^)\s]+)\)/g;

function linksIn(cell: string): { words: string; href: string }[] {
  return [...cell.matchAll(LINK)].map(([, words = '', href = '']) => ({ words, href }));
}

function codesIn(cell: string): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code);
}

function hasWord(text: string, word: string): boolean {
  return new RegExp(`(?<!\\w)${literal(word)}(?!\\w)`).test(text);
}

function literal(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

function fileOf(href: string): URL {
  return new URL(href.replace(/#.*$/, ''), DOCS);
}

function textOf(href: string): string {
  const file = fileOf(href);
  return statSync(file).isFile() ? readFileSync(file, 'utf8') : '';
}
