/**
 * The package's types, one file for each entry point and one for what they share: from the declarations that
 * `tsc -p tsconfig.package.json` has made of every module.
 */

import { resolve } from 'node:path';
import { defineConfig, type Plugin } from 'rolldown';
import { dts } from 'rolldown-plugin-dts';

const TYPES = resolve(import.meta.dirname, 'package-types');
const typesOf = (path: string) => resolve(TYPES, 'web/src/package', path);

/** Declarations name each other as the sources do, and stylesheets have no types. */
const named: Plugin = {
  name: 'named-as-sources',
  resolveId: {
    order: 'pre',
    handler(source, importer) {
      if (source === '@steadycast/codec-glue')
        return resolve(TYPES, 'codec-glue/ts/src/index.d.ts');
      if (source.endsWith('.css')) return { id: source, external: true, moduleSideEffects: false };
      if (importer === undefined || !/^\..*\.tsx?$/.test(source)) return null;
      if (source.endsWith('.d.ts')) return null;
      return resolve(importer, '..', source.replace(/\.tsx?$/, '.d.ts'));
    },
  },
};

export default defineConfig({
  input: {
    index: typesOf('index.d.ts'),
    react: typesOf('react.d.ts'),
    element: typesOf('element.d.ts'),
  },
  external: [/^react(-dom)?(\/|$)/],
  plugins: [named, dts({ dtsInput: true, emitDtsOnly: true, tsconfig: false })],
  output: { dir: 'package-dist', format: 'es', chunkFileNames: 'types-[name].d.ts' },
});
