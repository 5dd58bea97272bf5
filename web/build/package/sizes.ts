/** Prints what each use of the package has a browser fetch, minified and compressed, and holds the player's limit. */

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import { rolldown } from 'rolldown';

const PACKAGE = resolve(import.meta.dirname, '../../package-dist');
const PLAYER_MAX = 90_000;

interface Use {
  /** What an app takes, as it writes it. */
  code: string;
  files: string[];
  max?: number;
}

const PLAY = ['play-worker.js'];
const PUBLISH = ['publish-worker.js'];

const USES: Record<string, Use> = {
  'steadycast: PlayerStreamService': {
    code: "export { PlayerStreamService } from './index.js'",
    files: PLAY,
  },
  'steadycast: AdminScreenShareService': {
    code: "export { AdminScreenShareService } from './index.js'",
    files: PUBLISH,
  },
  'steadycast/react: SFUStreamPlayer': {
    code: "export { SFUStreamPlayer } from './react.js'",
    files: [...PLAY, 'styles.css'],
    max: PLAYER_MAX,
  },
  'steadycast/react: StreamControlPanel': {
    code: "export { StreamControlPanel } from './react.js'",
    files: [...PUBLISH, 'styles.css'],
  },
  'steadycast/element: <steadycast-player>': {
    code: '',
    files: ['element.js', 'element-shared.js', ...PLAY],
    max: PLAYER_MAX,
  },
  'steadycast/element: <steadycast-panel> as well': {
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

for (const [name, { code, files, max }] of Object.entries(USES)) {
  const copied = files.map((file) => sent(readFileSync(resolve(PACKAGE, file))));
  const bytes = copied.reduce((sum, size) => sum + size, await bundled(code));
  process.stdout.write(`${(bytes / 1_000).toFixed(1).padStart(6)} kB  ${name}\n`);
  if (max !== undefined && bytes > max) {
    throw new Error(`${name} is larger than ${max / 1_000} kB`);
  }
}
