/** The steps of docs/MIGRATE.md, done to an app as they stand there. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { App } from './app.ts';

const GUIDE = join(import.meta.dirname, '../../../docs/MIGRATE.md');
const BLOCK = /^```(\w+)\n([\s\S]*?)^```$/gm;

export class Guide {
  readonly #text: string;

  private constructor(text: string) {
    this.#text = text;
  }

  static async read(): Promise<Guide> {
    return new Guide(await readFile(GUIDE, 'utf8'));
  }

  /** Does what the section of this step has for the app, from the top down. */
  async follow(app: App, step: number): Promise<void> {
    const section = this.#text.split(/^## /m).find((one) => one.startsWith(`Step ${step}: `));
    const blocks = [...(section ?? '').matchAll(BLOCK)];
    if (blocks.length === 0) throw new Error(`step ${step} of the guide has nothing to do`);
    for (const [, language = '', text = ''] of blocks) await apply(app, language, text);
  }
}

async function apply(app: App, language: string, text: string): Promise<void> {
  switch (language) {
    case 'diff':
      return app.patch(text);
    case 'ts':
    case 'tsx': {
      const [, path, file] = /^\/\/ (\S+)\n([\s\S]*)$/.exec(text) ?? [];
      if (path === undefined || file === undefined) throw new Error(`no name: ${text}`);
      return app.write(path, file);
    }
    case 'sh':
      return app.shell(text);
  }
}
