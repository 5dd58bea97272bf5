/** Pages that are made from files outside this folder, anew for each build. */

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { checkPlan } from './plan.ts';
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
  checkPlan(readFileSync(new URL('MIGRATE.md', PAGES), 'utf8'));
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

/** A link out of this folder as the site has it, or the file that it leads to and that is no page of the site. */
export function onSite(href: string): string | { file: string } {
  const [, path = '', anchor = ''] = /^\.\.\/([^#]+)(#.*)?$/.exec(href) ?? [];
  // An id begins with no digit there.
  if (DOCUMENTS.includes(path)) return `./${path}${anchor.replace(/^#(?=\d)/, '#_')}`;
  return path !== '' && existsSync(new URL(path, ROOT)) ? { file: path } : href;
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
