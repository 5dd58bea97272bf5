/** Stylesheets as modules that give their text to `src/package/sheets.ts`, for shadow roots. */

import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { transform } from 'lightningcss';
import postcss from 'postcss';
import type { Plugin } from 'vite';
import { scopedStyles } from './scoped-styles.ts';

const SHEETS = resolve(import.meta.dirname, '../../src/package/sheets.ts');
/** Not named as a stylesheet, or Vite takes it for one. */
const MARK = '\0sheet:';

export function sheetModules(): Plugin {
  return {
    name: 'sheet-modules',
    enforce: 'pre',
    resolveId(source, importer) {
      if (!source.endsWith('.css') || importer === undefined) return null;
      const path = resolve(dirname(importer), source);
      return { id: `${MARK}${path.slice(0, -'.css'.length)}`, moduleSideEffects: true };
    },
    async load(id) {
      if (!id.startsWith(MARK)) return null;
      const path = `${id.slice(MARK.length)}.css`;
      this.addWatchFile(path);
      return moduleOf(path);
    },
  };
}

async function moduleOf(path: string): Promise<string> {
  const imports = [`import { addSheet } from ${JSON.stringify(SHEETS)};`];
  const root = postcss.parse(readFileSync(path, 'utf8'), { from: path });
  root.walkAtRules('import', (rule) => {
    const source = rule.params.replace(/^["']|["']$/g, '');
    // A sheet that several ask for is there once.
    imports.push(`import ${JSON.stringify(resolve(dirname(path), source))};`);
    rule.remove();
  });
  const { css } = await postcss([scopedStyles()]).process(root, { from: path });
  const { code } = transform({ filename: path, code: Buffer.from(css), minify: true });
  return [...imports, `addSheet(${JSON.stringify(code.toString())});`].join('\n');
}
