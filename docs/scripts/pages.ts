/** Pages that are made from files outside this folder, anew for each build. */

import { readFileSync, writeFileSync } from 'node:fs';
import { settingsPage } from './settings.ts';

const ROOT = new URL('../../', import.meta.url);
const PAGES = new URL('../', import.meta.url);

/** Documents of the repository's root that are pages of the site as well. */
const DOCUMENTS = ['ARCHITECTURE.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'PROTOCOL.md'];

/** Writes them beside the pages that are here. */
export function makePages(): void {
  write('configure.md', settingsPage(read('steadycast.toml')));
  for (const name of DOCUMENTS) write(name, moved(read(name)));
  checkTests(readFileSync(new URL('security.md', PAGES), 'utf8'));
}

/** Throws where a table names a file of tests that is not there, or a test that is not in it. */
function checkTests(page: string): void {
  for (const row of page.split('\n').filter((line) => line.startsWith('|'))) {
    let tests: string | undefined;
    for (const [, code = ''] of row.matchAll(/`([^`]+)`/g)) {
      if (/\.tsx?$|\.rs$/.test(code)) tests = read(code);
      else if (tests?.includes(code) === false) throw new Error(`security.md: no test ${code}`);
    }
  }
}

/** A link out of this folder that leads to a page of the site, as the site has it. */
export function onSite(href: string): string {
  const outside = /^\.\.\/([A-Z]+\.md)(#.*)?$/.exec(href);
  const [, name = '', anchor = ''] = outside ?? [];
  // An id begins with no digit there.
  const place = anchor.replace(/^#(?=\d)/, '#_');
  return DOCUMENTS.includes(name) ? `./${name}${place}` : href;
}

/** A document of the root as it reads from here: what is no page of the site is named and not linked. */
function moved(text: string): string {
  return text.replace(/\[([^\]]*)\]\(([^)\s]+)\)/g, (link, words: string, href: string) => {
    const inDocs = /^docs\/(.+)$/.exec(href)?.[1];
    if (inDocs !== undefined) return `[${words}](./${inDocs})`;
    const outside = !href.includes('://') && !href.startsWith('#') && !DOCUMENTS.includes(href);
    return outside ? words : link;
  });
}

function read(name: string): string {
  return readFileSync(new URL(name, ROOT), 'utf8');
}

function write(name: string, text: string): void {
  writeFileSync(new URL(name, PAGES), text);
}
