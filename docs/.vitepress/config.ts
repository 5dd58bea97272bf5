import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig, type MarkdownRenderer } from 'vitepress';
import { checkLinks } from '../scripts/links.ts';
import { makePages, onSite } from '../scripts/pages.ts';

// Before VitePress looks which pages there are.
makePages();

const USE = [
  { text: 'Start', link: '/start' },
  { text: 'Deploy', link: '/deploy' },
  { text: 'Several relays', link: '/cluster' },
  { text: 'Settings', link: '/configure' },
  { text: 'Operate', link: '/operate' },
  { text: 'Troubleshoot', link: '/troubleshoot' },
  { text: 'Publish from other software', link: '/TOOLS' },
];
const BUILD_ON = [
  { text: 'In your own app', link: '/EMBED' },
  { text: 'From peer to peer', link: '/MIGRATE' },
  { text: 'HTTP API', link: '/api' },
  { text: 'Events and hooks', link: '/hooks' },
  { text: 'Tokens and authorities', link: '/tokens' },
  { text: 'Protocol', link: '/PROTOCOL' },
];
const KNOW = [
  { text: 'Security', link: '/security' },
  { text: 'Metrics and access log', link: '/METRICS' },
  { text: 'Performance', link: '/PERFORMANCE' },
  { text: 'Networks', link: '/NETWORKS' },
  { text: 'Architecture', link: '/ARCHITECTURE' },
];
const PROJECT = [
  { text: 'Contributing', link: '/CONTRIBUTING' },
  { text: 'Changelog', link: '/CHANGELOG' },
];

/** Folders of what pages need and that are no pages. */
const FILES = ['deploy', 'examples', 'grafana', 'images'];

/** Pages whose tables take the room of the outline beside them. */
const WIDE = ['METRICS.md', 'MIGRATE.md', 'configure.md', 'security.md'];

type Token = ReturnType<MarkdownRenderer['parse']>[number];

/** What leads to a file that is no page of the site says which, and leads nowhere. */
function linksOnSite(tokens: Token[]): void {
  let tag = 'a';
  for (const token of tokens) {
    if (token.type === 'link_open') {
      const href = onSite(token.attrGet('href') ?? '');
      tag = typeof href === 'string' ? 'a' : 'span';
      if (typeof href === 'string') token.attrSet('href', href);
      else token.attrs = [['title', href.file]];
    }
    if (token.type.startsWith('link_')) token.tag = tag;
  }
}

/** That of the relay's pages. */
const ICON = readFileSync(new URL('../../web/src/pages/start/icon.svg', import.meta.url), 'base64');

export default defineConfig({
  title: 'Steadycast',
  description: 'One person shares a part of the screen with many, and nobody loses the picture.',
  lang: 'en',
  head: [
    ['link', { rel: 'icon', type: 'image/svg+xml', href: `data:image/svg+xml;base64,${ICON}` }],
  ],
  outDir: '../target/docs',
  cacheDir: '../target/docs-cache',
  metaChunk: true,
  markdown: {
    linkify: false,
    config: (md) => {
      md.core.ruler.push('on-site', ({ tokens }) => {
        for (const { children } of tokens) linksOnSite(children ?? []);
      });
    },
  },
  transformPageData: ({ relativePath, frontmatter }) => {
    if (!WIDE.includes(relativePath)) return undefined;
    const pageClass = relativePath.replace('.md', '').toLowerCase();
    return { frontmatter: { ...frontmatter, aside: false, pageClass } };
  },
  themeConfig: {
    nav: [
      { text: 'Start', link: '/start' },
      { text: 'Deploy', link: '/deploy' },
      { text: 'Settings', link: '/configure' },
      { text: 'API', link: '/api' },
    ],
    sidebar: [
      { text: 'Use', items: USE },
      { text: 'Build on it', items: BUILD_ON },
      { text: 'Know it', items: KNOW },
      { text: 'Project', items: PROJECT },
    ],
    outline: [2, 3],
    search: { provider: 'local' },
  },
  buildEnd: ({ srcDir, outDir }) => {
    for (const folder of FILES) {
      cpSync(join(srcDir, folder), join(outDir, folder), { recursive: true });
    }
    checkLinks(outDir);
  },
});
