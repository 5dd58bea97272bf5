/**
 * Prints what each use of the package has a browser fetch, minified and compressed, holds the player's limit, and
 * fails where docs/EMBED.md says something else.
 */

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import { rolldown } from 'rolldown';

const PACKAGE = resolve(import.meta.dirname, '../../package-dist');
const DOCUMENT = resolve(import.meta.dirname, '../../../docs/EMBED.md');
const PLAYER_MAX = 90_000;
/** What is said may be as much behind. */
const SAID_WITHIN_KB = 1;

interface Use {
  /** What an app takes, as it writes it. */
  code: string;
  files: string[];
  max?: number;
}

const PLAY = ['play-worker.js'];
const PUBLISH = ['publish-worker.js'];

const USES: Record<string, Use> = {
  '`steadycast`, `PlayerStreamService`': {
    code: "export { PlayerStreamService } from './index.js'",
    files: PLAY,
  },
  '`steadycast`, `AdminScreenShareService`': {
    code: "export { AdminScreenShareService } from './index.js'",
    files: PUBLISH,
  },
  '`steadycast/react`, `SFUStreamPlayer`': {
    code: "export { SFUStreamPlayer } from './react.js'",
    files: PLAY,
    max: PLAYER_MAX,
  },
  '`steadycast/react`, `StreamControlPanel`': {
    code: "export { StreamControlPanel } from './react.js'",
    files: PUBLISH,
  },
  '`steadycast/element`, `<steadycast-player>`': {
    code: '',
    files: ['element.js', 'element-shared.js', ...PLAY],
    max: PLAYER_MAX,
  },
  '`steadycast/element`, with a `<steadycast-panel>` as well': {
    code: '',
    files: ['element.js', 'element-shared.js', 'element-admin.js', ...PLAY, ...PUBLISH],
  },
};

const sent = (text: string | Buffer) => brotliCompressSync(text).length;

/** As an app's bundler has it, without React. */
async function bundled(code: string): Promise<number> {
  if (code === '') return 0;
  const entry = `${PACKAGE}/use.js`;
  const bundle = await rolldown({
    input: entry,
    external: /^react(-dom)?(\/|$)/,
    treeshake: { moduleSideEffects: false },
    // That it is for browsers matters to servers alone.
    onLog: (level, log, warn) => {
      if (log.code !== 'MODULE_LEVEL_DIRECTIVE') warn(level, log);
    },
    plugins: [
      {
        name: 'use',
        resolveId: (source) => (source === entry ? source : null),
        load: (id) => (id === entry ? code : null),
      },
    ],
  });
  const { output } = await bundle.generate({ format: 'es', minify: true });
  await bundle.close();
  return output.reduce((sum, chunk) => sum + (chunk.type === 'chunk' ? sent(chunk.code) : 0), 0);
}

/** What the document says, in kB, by use. */
function said(): Map<string, number> {
  const rows = readFileSync(DOCUMENT, 'utf8').matchAll(/^\| (`steadycast.*?) \| (\d+) \|$/gm);
  return new Map([...rows].map(([, use = '', kB]) => [use, Number(kB)]));
}

const documented = said();
for (const [name, { code, files, max }] of Object.entries(USES)) {
  const copied = files.map((file) => sent(readFileSync(resolve(PACKAGE, file))));
  const kB = copied.reduce((sum, size) => sum + size, await bundled(code)) / 1_000;
  process.stdout.write(`${kB.toFixed(1).padStart(6)} kB  ${name}\n`);
  if (max !== undefined && kB > max / 1_000) throw new Error(`${name} is larger than ${max} bytes`);
  const written = documented.get(name) ?? Number.NaN;
  if (!(Math.abs(written - kB) <= SAID_WITHIN_KB)) {
    throw new Error(`${DOCUMENT} says ${written} kB of ${name}, which has ${kB.toFixed(1)}`);
  }
}
