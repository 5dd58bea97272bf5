/** Links within the built site: VitePress looks for pages, this looks for places on them and for files. */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Throws where a link leads to no page, no heading or no file in `folder`. */
export function checkLinks(folder: string): void {
  const names = readdirSync(folder).filter((name) => name.endsWith('.html'));
  const pages = new Map(names.map((name) => [name, readFileSync(join(folder, name), 'utf8')]));
  const dead: string[] = [];
  for (const [name, html] of pages) {
    for (const [, href = ''] of html.matchAll(/<a [^>]*href="([^"]+)"/g)) {
      if (/^\w+:/.test(href)) continue;
      const [path = '', anchor = ''] = href.replace(/^\.?\//, '').split('#');
      const page = pages.get(path === '' ? (href.startsWith('#') ? name : 'index.html') : path);
      const there = page === undefined ? existsSync(join(folder, path)) : has(page, anchor);
      if (!there) dead.push(`${name}: ${href}`);
    }
  }
  if (dead.length > 0) throw new Error(`dead links:\n${dead.join('\n')}`);
}

function has(page: string, anchor: string): boolean {
  return anchor === '' || page.includes(`id="${decodeURIComponent(anchor)}"`);
}
