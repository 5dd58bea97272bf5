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
}

/** A link out of this folder that leads to a page of the site, as the site has it. */
export function onSite(href: string): string {
  const outside = /^\.\.\/([A-Z]+\.md)(#.*)?$/.exec(href);
  const [, name = '', anchor = ''] = outside ?? [];
  return DOCUMENTS.includes(name) ? `./${name}${anchor}` : href;
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
