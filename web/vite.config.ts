import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import react from '@vitejs/plugin-react';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

const root = import.meta.dirname;

/** The pages of PROTOCOL 7.3; a page is built once its document exists. */
const pages = ['index', 'admin', 'host', 'play']
  .map((name) => [name, resolve(root, `${name}.html`)] as const)
  .filter(([, path]) => existsSync(path));

/**
 * What a page's first script imports later is fetched from the beginning all the same. Styles as
 * well, but as a preload: as a stylesheet they would hold that script up.
 */
function preloadImports(): Plugin {
  return {
    name: 'preload-imports',
    apply: 'build',
    transformIndexHtml: {
      order: 'post',
      handler(html, { bundle, chunk }) {
        const later = (chunk?.dynamicImports ?? []).flatMap((name) => {
          const imported = bundle?.[name];
          return imported?.type === 'chunk' ? [imported] : [];
        });
        const scripts = later.flatMap(({ fileName, imports }) => [fileName, ...imports]);
        const styles = later.flatMap(({ viteMetadata }) => [...(viteMetadata?.importedCss ?? [])]);
        const links = [
          ...scripts.map((name) => ({ rel: 'modulepreload', href: `./${name}` })),
          ...styles.map((name) => ({ rel: 'preload', as: 'style', href: `./${name}` })),
        ];
        const known = links.filter(({ href }) => !html.includes(href));
        return known.map((attrs) => ({
          tag: 'link',
          attrs: { ...attrs, crossorigin: true },
          injectTo: 'head',
        }));
      },
    },
  };
}

/** Smaller than this nothing is won: it is one packet anyway. */
const WORTH_BYTES = 1_000;

/** Beside each file as it is, the same compressed: on a narrow path the page comes before the picture. */
function compressed(): Plugin {
  return {
    name: 'compressed',
    apply: 'build',
    closeBundle() {
      const dist = join(root, 'dist');
      for (const entry of readdirSync(dist, { recursive: true, withFileTypes: true })) {
        if (!entry.isFile() || !/\.(html|js|css|svg)$/.test(entry.name)) continue;
        const path = join(entry.parentPath, entry.name);
        const bytes = readFileSync(path);
        if (bytes.length < WORTH_BYTES) continue;
        writeFileSync(`${path}.br`, brotliCompressSync(bytes));
        writeFileSync(`${path}.gz`, gzipSync(bytes, { level: 9 }));
      }
    },
  };
}

export default defineConfig({
  root,
  // A proxy may have the relay under a path of its own: pages name what lies beside them.
  base: './',
  plugins: [react(), preloadImports(), compressed()],
  worker: { format: 'es' },
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: 'es2022',
    // The relay's content security policy allows no inline script and no data: script.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rollupOptions: { input: Object.fromEntries(pages) },
  },
  test: { include: ['src/**/*.test.{ts,tsx}', 'test/**/*.test.{ts,tsx}'] },
});
