/**
 * The package that other apps install, made in parts, one per mode: `library` for apps that have React or
 * need none, `elements` with a small React of their own, the two workers, and the audio worklet.
 */

import { copyFileSync } from 'node:fs';
import { resolve } from 'node:path';
import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin, type UserConfig } from 'vite';
import { packageWorkers } from './build/package/package-workers.ts';
import { sheetModules } from './build/package/sheet-modules.ts';

const root = import.meta.dirname;
const src = (path: string) => resolve(root, 'src', path);

const SMALL_REACT = [
  { find: /^react(?=\/|$)/, replacement: 'preact/compat' },
  { find: /^react-dom\/client$/, replacement: 'preact/compat/client' },
];

/** Its text goes into the package, where people look for it. */
function licences(): Plugin {
  return {
    name: 'licences',
    apply: 'build',
    closeBundle() {
      for (const name of ['LICENSE-MIT', 'LICENSE-APACHE']) {
        copyFileSync(resolve(root, '..', name), resolve(root, 'package-dist', name));
      }
    },
  };
}

const PARTS: Record<string, () => UserConfig> = {
  library: () => ({
    plugins: [packageWorkers(), sheetModules(), react(), licences()],
    build: {
      emptyOutDir: true,
      minify: false,
      lib: {
        entry: { index: src('package/index.ts'), react: src('package/react.tsx') },
        formats: ['es'],
      },
      rollupOptions: {
        external: [/^react(-dom)?(\/|$)/],
        output: {
          chunkFileNames: ({ name }) => `${LATER[name] ?? 'shared'}.js`,
          // Frameworks that make pages on a server ask for that word where there are hooks.
          banner: ({ name }) => (name === 'react' ? "'use client';" : ''),
        },
      },
    },
  }),
  elements: () => ({
    plugins: [packageWorkers(), sheetModules(), react()],
    resolve: { alias: SMALL_REACT },
    build: {
      minify: 'oxc',
      // What is bundled here is all that is anywhere in the package, but for its workers.
      license: { fileName: 'LICENSES-BUNDLED.md' },
      lib: { entry: { element: src('package/element.ts') }, formats: ['es'] },
      rollupOptions: { output: { minify: true, chunkFileNames: partName } },
    },
  }),
  'play-worker': () => worker('play/worker.ts', 'play-worker'),
  'sound-worklet': () => worker('play/sound/worklet.ts', 'sound-worklet'),
  // It has all that the other one has.
  'publish-worker': () =>
    worker('publish/worker.ts', 'publish-worker', 'LICENSES-BUNDLED-WORKERS.md'),
};

/** What comes once it is needed: what plays sound, and what knows of other relays. */
const LATER: Record<string, string> = { output: 'sound', away: 'away' };

function partName({ name }: { name: string }): string {
  const parts: Record<string, string> = { ...LATER, 'admin-views': 'admin' };
  return `element-${parts[name] ?? 'shared'}.js`;
}

/** In one file: a bundler that only copies it copies all of it. */
function worker(path: string, name: string, licences?: string): UserConfig {
  return {
    build: {
      minify: 'oxc',
      ...(licences !== undefined && { license: { fileName: licences } }),
      lib: { entry: { [name]: src(path) }, formats: ['es'] },
      rollupOptions: { output: { minify: true, codeSplitting: false } },
    },
  };
}

export default defineConfig(({ mode }) => {
  const part = PARTS[mode]?.();
  if (part === undefined) throw new Error(`a mode is one of ${Object.keys(PARTS).join(', ')}`);
  return {
    root,
    publicDir: false,
    ...part,
    define: { 'process.env.NODE_ENV': '"production"' },
    build: {
      outDir: 'package-dist',
      emptyOutDir: false,
      target: 'es2022',
      ...part.build,
    },
  };
});
