import { execFileSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import postcss from 'postcss';
import { afterAll, beforeAll, expect, it } from 'vitest';

const WEB = resolve(import.meta.dirname, '..');
const MODULES = resolve(WEB, '../node_modules');
const { VITEST: _, NODE_ENV: __, ...ENV } = process.env;

let place = '';
let packed: string[] = [];

beforeAll(() => {
  place = mkdtempSync(join(tmpdir(), 'steadycast-package-'));
  const [made] = JSON.parse(
    execFileSync(
      'npm',
      ['pack', '--json', '--foreground-scripts=false', '--pack-destination', place],
      {
        cwd: WEB,
        env: ENV,
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    ).replace(/^[^[]*\n(?=\[)/, ''),
  );
  packed = made.files.map(({ path }: { path: string }) => path);
  execFileSync('tar', ['-xzf', join(place, made.filename), '-C', place]);
}, 180_000);

afterAll(() => rmSync(place, { recursive: true, force: true }));

/** An app with the package and some more modules, as installing them makes it. */
function makeApp(name: string, modules: string[], files: Record<string, string>): string {
  const app = join(place, name);
  mkdirSync(join(app, 'node_modules'), { recursive: true });
  cpSync(join(place, 'package'), join(app, 'node_modules/steadycast'), { recursive: true });
  for (const module of modules) {
    const link = join(app, 'node_modules', module);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(MODULES, module), link);
  }
  for (const [path, text] of Object.entries(files)) writeFileSync(join(app, path), text);
  return app;
}

function tool(app: string, path: string, ...args: string[]): string {
  try {
    return execFileSync(process.execPath, [join(MODULES, path), ...args], {
      cwd: app,
      env: ENV,
      encoding: 'utf8',
    });
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`${path}: ${stdout}${stderr}`);
  }
}

const settings = (module: string, moduleResolution: string) =>
  JSON.stringify({
    compilerOptions: {
      target: 'ES2022',
      lib: ['ES2022', 'DOM', 'DOM.Iterable'],
      module,
      moduleResolution,
      jsx: 'react-jsx',
      types: [],
      strict: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      skipLibCheck: false,
      noEmit: true,
    },
    files: ['main.tsx'],
  });

const SETTINGS = {
  'package.json': JSON.stringify({ name: 'app', private: true, type: 'module' }),
  'tsconfig.json': settings('ESNext', 'bundler'),
  'tsconfig.node16.json': settings('Node16', 'node16'),
};

const REACT_APP = `
import { StrictMode, useEffect, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { AdminScreenShareService, PlayerStreamService, type PlayerState, readToken } from 'steadycast';
import { ScreenShareCropper, SFUStreamPlayer, StreamControlPanel } from 'steadycast/react';

const origin = 'https://relay.example:4443';
const playing = new PlayerStreamService();
playing.subscribe(() => {
  const state: PlayerState = playing.snapshot().state;
  document.title = state.kind;
});

function Sharing({ token }: { token: string }) {
  const [service, setService] = useState<AdminScreenShareService | null>(null);
  useEffect(() => {
    const broadcast = readToken(token)?.broadcast ?? '';
    const opened = new AdminScreenShareService({ origin, token, broadcast });
    opened.open();
    setService(opened);
    return () => opened.close();
  }, [token]);
  if (service === null) return null;
  return (
    <>
      <StreamControlPanel service={service} />
      <ScreenShareCropper service={service} />
    </>
  );
}

const root = document.querySelector('#root');
if (root !== null) {
  createRoot(root).render(
    <StrictMode>
      <SFUStreamPlayer origin={origin} token="" service={playing} title={null} />
      <Sharing token="" />
    </StrictMode>,
  );
}
`;

const PLAIN_APP = `
import { createBroadcast, type PlayOptions, PlayerStreamService } from 'steadycast';
import 'steadycast/element';

const player = document.createElement('steadycast-player');
player.setAttribute('relay', 'https://relay.example:4443');
player.service.subscribe(() => player.service.records().framesShown.toFixed());
const options: PlayOptions = { origin: 'https://relay.example:4443', token: '' };
document.body.append(player, document.createElement('steadycast-panel'));
export const services = { createBroadcast, PlayerStreamService, options };
`;

const PAGE = '<!doctype html><div id="root"></div><script type="module" src="/main.tsx"></script>';

it('holds what apps need, and nothing else', () => {
  expect(packed.toSorted()).toEqual(
    [
      'README.md',
      'package.json',
      ...['LICENSE-APACHE', 'LICENSE-MIT', 'LICENSES-BUNDLED-WORKERS.md', 'LICENSES-BUNDLED.md'],
      ...['element.js', 'element-admin.js', 'element-shared.js', 'index.js', 'react.js'],
      ...['play-worker.js', 'publish-worker.js', 'shared.js'],
      // What plays sound comes once there is some.
      ...['sound.js', 'element-sound.js', 'sound-worklet.js'],
      // And what knows of other relays where there are some.
      ...['away.js', 'element-away.js'],
      ...['element.d.ts', 'index.d.ts', 'react.d.ts'],
      ...['PlayerStreamService', 'language'].map((shared) => `types-${shared}.d.ts`),
    ]
      .map((path, index) => (index < 2 ? path : `package-dist/${path}`))
      .toSorted(),
  );
});

it('installs nothing with it, and imports nothing but React', () => {
  const facts = JSON.parse(readFileSync(join(place, 'package/package.json'), 'utf8'));
  expect(facts.dependencies).toBeUndefined();
  const imported = packed
    .filter((path) => /\.(js|d\.ts)$/.test(path))
    .flatMap((path) => {
      const text = readFileSync(join(place, 'package', path), 'utf8');
      return [
        ...text.matchAll(/[\s}]from\s*["']([^"']+)["']|\bimport\s*\(?\s*["'`]([^"'`]+)["'`]/g),
      ].map(([, from, imported]) => from ?? imported ?? '');
    })
    .filter((source) => !/^\.\/[\w-]+\.js$/.test(source));
  expect([...new Set(imported)].toSorted()).toEqual(['react', 'react/jsx-runtime']);
});

it('has a rule for nothing of the app', () => {
  const code = readFileSync(join(place, 'package/package-dist/react.js'), 'utf8');
  const sheets = [...code.matchAll(/addSheet\(("(?:[^"\\]|\\.)*")\)/g)];
  const css = sheets.map(([, text = '""']) => JSON.parse(text)).join('\n');
  const strangers: string[] = [];
  let rules = 0;
  postcss.parse(css).walkRules(({ selectors, parent }) => {
    if (parent?.type === 'atrule' && 'params' in parent && parent.name === 'keyframes') {
      if (!parent.params.startsWith('steadycast-')) strangers.push(parent.params);
      return;
    }
    rules += 1;
    strangers.push(...selectors.filter((one) => !/^\.steadycast(?![\w-])/.test(one)));
  });
  expect(rules).toBeGreaterThan(100);
  expect(strangers).toEqual([]);
  // Light or dark is for the app to say.
  expect(css).not.toMatch(/color-scheme\s*:|data-theme/);
});

it('is typed and bundled in a strict React app', { timeout: 180_000 }, () => {
  const types = ['@types/react', '@types/react-dom'];
  const app = makeApp('react-app', ['react', 'react-dom', '@vitejs/plugin-react', ...types], {
    ...SETTINGS,
    'vite.config.js':
      "import react from '@vitejs/plugin-react';\nexport default { plugins: [react()] };\n",
    'main.tsx': REACT_APP,
    'index.html': PAGE,
  });
  for (const config of ['tsconfig.json', 'tsconfig.node16.json']) {
    expect(tool(app, 'typescript/bin/tsc', '--noEmit', '-p', config)).toBe('');
  }
  const said = tool(app, 'vite/bin/vite.js', 'build', '--logLevel', 'warn', '--minify', 'false');
  expect(said.trim()).toBe('');
  const assets = readdirSync(join(app, 'dist/assets'));
  for (const worker of ['play-worker', 'publish-worker']) {
    expect(assets).toContainEqual(expect.stringMatching(new RegExp(`^${worker}-[\\w-]+\\.js$`)));
  }
  const [script = ''] = assets.filter((name) => /^index-.*\.js$/.test(name));
  const code = readFileSync(join(app, 'dist/assets', script), 'utf8');
  // The app's own React, once.
  expect(code).not.toContain('preact');
  // What it looks like by day and by night is left to the browser that shows it.
  expect(code).toMatch(/light-dark\(/);
  expect(code).not.toContain('--lightningcss-');
  for (const worker of assets.filter((name) => name.includes('-worker-'))) {
    expect(code).toContain(worker);
  }
});

it('is typed and bundled where there is no React', { timeout: 180_000 }, () => {
  const app = makeApp('plain-app', [], { ...SETTINGS, 'main.tsx': PLAIN_APP, 'index.html': PAGE });
  for (const config of ['tsconfig.json', 'tsconfig.node16.json']) {
    expect(tool(app, 'typescript/bin/tsc', '--noEmit', '-p', config)).toBe('');
  }
  expect(tool(app, 'vite/bin/vite.js', 'build', '--logLevel', 'warn').trim()).toBe('');
  const assets = readdirSync(join(app, 'dist/assets'));
  expect(assets).toContainEqual(expect.stringMatching(/^element-admin-[\w-]+\.js$/));
});

it('is used by a server that makes pages, where it stands empty', () => {
  const app = makeApp('server', ['react', 'react-dom'], {
    ...SETTINGS,
    'main.mjs': `
      import { createElement } from 'react';
      import { renderToString } from 'react-dom/server';
      import { PlayerStreamService } from 'steadycast';
      import { SteadycastPlayerElement } from 'steadycast/element';
      import * as all from 'steadycast/react';
      if ([PlayerStreamService, SteadycastPlayerElement].some((one) => typeof one !== 'function')) throw 0;
      const of = { origin: 'https://relay.example', token: '' };
      const show = (Part, props) => renderToString(createElement(Part, props));
      console.log(show(all.StreamControlPanel, of));
      console.log(show(all.ScreenShareCropper, { stream: null, onCropComplete() {} }));
      console.log(show(all.CaptureHostPage, { relay: of.origin }));
      console.log(show(() => {
        const { place, snapshot } = all.usePlayer(of);
        const { service } = all.useShare(of);
        return createElement('p', { ref: place }, snapshot.state.kind, service);
      }));
      console.log(show(all.SFUStreamPlayer, of));
    `,
  });
  const said = execFileSync(process.execPath, ['main.mjs'], {
    cwd: app,
    env: ENV,
    encoding: 'utf8',
  });
  const empty = '<div class="steadycast" style="width:100%"></div>';
  expect(said.trim().split('\n')).toEqual([
    ...[empty, empty, empty, '<p>connecting</p>'],
    '<div class="steadycast" style="width:100%;min-width:15rem;height:100%"></div>',
  ]);
});
