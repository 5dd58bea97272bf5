/** Workers and worklets of the package are files of their own, which its modules name as bundlers understand it. */

import { resolve } from 'node:path';
import type { Plugin } from 'vite';

const SRC = resolve(import.meta.dirname, '../../src');
const START = `import { startWorker } from ${JSON.stringify(`${SRC}/package/start-worker.ts`)};\n`;
const STARTED = "new Worker(new URL('./worker.ts', import.meta.url),";

/** Who starts one, and its file. */
const WORKERS: Record<string, { file: string; name: string }> = {
  [`${SRC}/play/spare-worker.ts`]: { file: 'play-worker.js', name: '__PLAY_WORKER__' },
  [`${SRC}/publish/host.ts`]: { file: 'publish-worker.js', name: '__PUBLISH_WORKER__' },
};

/** Who has the page's audio worklet, its file, and how the page's own build names that. */
const WORKLET = {
  of: `${SRC}/play/sound/output.ts`,
  file: 'sound-worklet.js',
  name: '__SOUND_WORKLET__',
  imported: "import workletUrl from './worklet.ts?worker&url';",
};

export function packageWorkers(): Plugin {
  return {
    name: 'package-workers',
    enforce: 'pre',
    transform(code, id) {
      if (id === WORKLET.of) {
        const { imported, name } = WORKLET;
        if (!code.includes(imported)) this.error(`it has no worklet by ${imported}`);
        // Worklets may be of another origin, as modules may.
        const named = `const workletUrl = new URL(${name}, import.meta.url).href;`;
        return { code: code.replace(imported, named), map: null };
      }
      const worker = WORKERS[id];
      if (worker === undefined) return null;
      if (!code.includes(STARTED)) this.error(`it starts no worker by ${STARTED}`);
      const started = `startWorker(new URL(${worker.name}, import.meta.url),`;
      return { code: START + code.replace(STARTED, started), map: null };
    },
    // Last of all: Vite would look for a source of that name, and a minifier would quote it in its own way.
    generateBundle(_, bundle) {
      for (const chunk of Object.values(bundle)) {
        if (chunk.type !== 'chunk') continue;
        for (const { file, name } of [...Object.values(WORKERS), WORKLET]) {
          chunk.code = chunk.code.replaceAll(name, JSON.stringify(`./${file}`));
        }
      }
    },
  };
}
