import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import react from '@vitejs/plugin-react';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';
import { documents } from './build/documents.ts';

const root = import.meta.dirname;

/** The pages of PROTOCOL 7.3; a page is built once its document exists. */
const pages = ['index', 'admin', 'host', 'play']
  .map((name) => [name, resolve(root, `${name}.html`)] as const)
  .filter(([, path]) => existsSync(path));

/**
 * The worker that a page's first script starts, and what that imports first, are fetched from the
 * beginning all the same. What it imports after that is not, for on a narrow path it would only hold
 * these up.
 */
function preloadImports(): Plugin {
  return {
    name: 'preload-imports',
    apply: 'build',
    transformIndexHtml: {
      order: 'post',
      handler(html, { bundle = {}, chunk }) {
        const [first] = chunk?.dynamicImports ?? [];
        const imported = first === undefined ? undefined : bundle[first];
        const scripts = imported?.type === 'chunk' ? [imported.fileName, ...imported.imports] : [];
        const workers = Object.keys(bundle).filter((name) =>
          chunk?.code.includes(workerName(name)),
        );
        return [...workers, ...scripts]
          .map((name) => `./${name}`)
          .filter((href) => !html.includes(href))
          .map((href) => ({
            tag: 'link',
            attrs: { rel: 'modulepreload', href, crossorigin: true },
            injectTo: 'head',
          }));
      },
    },
  };
}

/** As a script that starts it names it; what is no worker is named nowhere so. */
function workerName(name: string): string {
  return /\/worker-[\w-]+\.js$/.test(name)
    ? (name.split('/').at(-1) ?? name)
    : `no worker: ${name}`;
}

/** What the player's page is made of, and no other one. */
const PLAYER = /\/src\/(pages\/play|components\/player|components\/SFUStreamPlayer)\b/;
const SMALL: Record<string, string> = {
  react: 'preact/compat',
  'react/jsx-runtime': 'preact/jsx-runtime',
  'react-dom/client': 'preact/compat/client',
};

/**
 * The player's page has a small React: the whole one is larger than all else of the page together,
 * and would be waited for by everybody on a narrow path.
 */
function smallReact(): Plugin {
  return {
    name: 'small-react',
    apply: 'build',
    enforce: 'pre',
    resolveId(source, importer, options) {
      const small = SMALL[source];
      if (small === undefined || importer === undefined || !PLAYER.test(importer)) return null;
      return this.resolve(small, importer, { ...options, skipSelf: true });
    },
    // With both, a page shows nothing: a component that two pages share is of one of them.
    generateBundle(_, bundle) {
      const chunks = Object.values(bundle).filter((output) => output.type === 'chunk');
      const needed = new Set<string>();
      const need = (fileName: string) => {
        if (needed.has(fileName)) return;
        needed.add(fileName);
        for (const next of chunks.find((chunk) => chunk.fileName === fileName)?.imports ?? [])
          need(next);
      };
      for (const { fileName, moduleIds } of chunks) {
        if (moduleIds.some((id) => PLAYER.test(id))) need(fileName);
      }
      const whole = chunks.some(({ fileName, moduleIds }) => {
        return needed.has(fileName) && moduleIds.some((id) => /node_modules\/react\//.test(id));
      });
      if (whole) this.error('a module of the player’s page asks for the whole of React');
    },
  };
}

/** What most pages have in common, and is too small for a request of its own. */
const BASICS =
  /\/src\/(words\/(language|numbers|theme)|words\/\w+\/theme|theme|components\/compared|services\/wake-lock|session\/(fragment|pause))\.ts$/;

/** Smaller than this nothing is won: it is one packet anyway. */
const WORTH_BYTES = 1_000;

/** Beside each file as it is, the same compressed: on a narrow path the page comes before the picture. */
function compressed(): Plugin {
  let dist = '';
  return {
    name: 'compressed',
    apply: 'build',
    configResolved(config) {
      dist = resolve(config.root, config.build.outDir);
    },
    closeBundle() {
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
  plugins: [documents(), smallReact(), react(), preloadImports(), compressed()],
  worker: { format: 'es' },
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: 'es2022',
    // The relay's content security policy allows no inline script and no data: script.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: Object.fromEntries(pages),
      output: { codeSplitting: { groups: [{ name: 'basics', test: BASICS }] } },
    },
  },
  test: { include: ['src/**/*.test.{ts,tsx}', 'test/**/*.test.{ts,tsx}'] },
});
