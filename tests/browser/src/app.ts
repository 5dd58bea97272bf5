/** An app of somebody else's: a copy in a folder of its own, with the modules it asks for, built and served there. */

import type { ChildProcess } from 'node:child_process';
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { end, freePort, launch } from './process.ts';
import { until } from './until.ts';

const run = promisify(execFile);
const ROOT = resolve(import.meta.dirname, '../../..');
const MODULES = join(ROOT, 'node_modules');
/** What tests are run by is no matter of an app's. */
const { NODE_ENV: _, NODE_OPTIONS: __, ...ENV } = process.env;

type Facts = Partial<Record<'dependencies' | 'devDependencies', Record<string, string>>>;

export class App {
  readonly folder: string;
  #server: ChildProcess | null = null;
  #port = 0;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** A copy of the app in this folder of the repository. */
  static async copyOf(source: string): Promise<App> {
    const app = new App(await mkdtemp(join(tmpdir(), 'steadycast-app-')));
    await cp(join(ROOT, source), app.folder, {
      recursive: true,
      filter: (path) => !['node_modules', 'dist'].includes(basename(path)),
    });
    const { dependencies, devDependencies }: Facts = JSON.parse(await app.read('package.json'));
    for (const name of Object.keys({ ...dependencies, ...devDependencies })) {
      const link = app.#path('node_modules', name);
      await mkdir(dirname(link), { recursive: true });
      await symlink(join(MODULES, name), link);
    }
    return app;
  }

  /** Where its pages are; always the same. */
  get origin(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Packs the package, and installs it as npm would. */
  async installPackage(): Promise<void> {
    const args = ['pack', '--json', '--foreground-scripts=false', '--workspace', 'web'];
    const { stdout } = await run('npm', [...args, '--pack-destination', this.folder], {
      cwd: ROOT,
      env: ENV,
    });
    const [made] = JSON.parse(stdout.replace(/^[^[]*\n(?=\[)/, ''));
    const place = this.#path('node_modules', 'steadycast');
    await mkdir(place);
    await run('tar', ['-xzf', this.#path(made.filename), '--strip-components=1', '-C', place]);
  }

  read(path: string): Promise<string> {
    return readFile(this.#path(path), 'utf8');
  }

  async write(path: string, text: string): Promise<void> {
    await mkdir(dirname(this.#path(path)), { recursive: true });
    await writeFile(this.#path(path), text);
  }

  remove(path: string): Promise<void> {
    return rm(this.#path(path));
  }

  /** Applies a unified diff, every line of which has to fit. */
  async patch(diff: string): Promise<void> {
    await this.write('change.diff', diff);
    await run('git', ['apply', 'change.diff'], { cwd: this.folder });
    await this.remove('change.diff');
  }

  /** Types this at its root; throws at the first command that fails. */
  async shell(script: string): Promise<void> {
    await run('bash', ['-euc', script], { cwd: this.folder });
  }

  async typecheck(): Promise<void> {
    await this.#tool('typescript/bin/tsc', ['--noEmit']);
  }

  async build(env: Record<string, string> = {}): Promise<void> {
    await this.#tool('vite/bin/vite.js', ['build', '--logLevel', 'error'], env);
  }

  /** Starts its server, or starts it anew with what is there now. */
  async serve(env: Record<string, string> = {}): Promise<void> {
    await this.#stop();
    this.#port ||= await freePort();
    const server = launch(process.execPath, ['--import', 'tsx', 'server/index.ts'], {
      cwd: this.folder,
      env: { ...ENV, ...env, PORT: String(this.#port) },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    this.#server = server;
    await until('the app to answer', async () => {
      if (server.exitCode !== null) throw new Error('the server of the app has ended');
      return (await fetch(this.origin)).ok;
    });
  }

  async close(): Promise<void> {
    await this.#stop();
    await rm(this.folder, { recursive: true, force: true });
  }

  async #stop(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    if (server !== null) await end(server);
  }

  async #tool(path: string, args: string[], env: Record<string, string> = {}): Promise<void> {
    try {
      const options = { cwd: this.folder, env: { ...ENV, ...env } };
      await run(process.execPath, [join(MODULES, path), ...args], options);
    } catch (error) {
      const { stdout, stderr } = error as { stdout: string; stderr: string };
      throw new Error(`${path}: ${stdout}${stderr}`);
    }
  }

  #path(...parts: string[]): string {
    return join(this.folder, ...parts);
  }
}
