// biome-ignore-all lint/suspicious/noTemplateCurlyInString: sources are strings here.
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { expect, it } from 'vitest';
import { outsideInDocument, outsideInScript } from './outside-words.ts';

const WEB = resolve(import.meta.dirname, '..');

/** There the details of what goes wrong are for diagnostics alone, and begin with a small letter. */
const DETAILS = /^src\/play\/.*:\d+ [\p{Ll}…]/u;

const texts = (source: string, name = 'a.tsx') =>
  outsideInScript(name, source).map(({ text }) => text);

it('finds what components say', () => {
  expect(texts('const a = <p>Hello</p>;')).toEqual(['Hello']);
  expect(texts('const a = <p>{count} viewers</p>;')).toEqual(['viewers']);
  expect(texts('const a = <p title="more" />;')).toEqual(['more']);
  expect(texts('const a = <p aria-label={on ? "on" : `off ${x}`} />;')).toEqual(['on', 'off …']);
  expect(texts('const a = <p>{on ? "Shown now" : null}</p>;')).toEqual(['Shown now']);
  expect(texts('const a = <Notice title={words.title} label={a === "b" ? c : d} />;')).toEqual([]);
  expect(texts('const a = <code>steadycast broadcast links {id}</code>;')).toEqual([]);
  expect(texts('const a = <b className="badge badge-good">{ms} ms · Steadycast</b>;')).toEqual([]);
});

it('finds what scripts say', () => {
  expect(texts('const a = { badge: "Live" };', 'a.ts')).toEqual(['Live']);
  expect(texts('const a = ["Not sharing", "not at all there"];', 'a.ts')).toHaveLength(2);
  expect(texts('const a = `${n} viewers are connected`;', 'a.ts')).toEqual([
    '… viewers are connected',
  ]);
  expect(texts('problem.textContent = on ? "Paste it again" : "";', 'a.ts')).toHaveLength(1);
});

it('leaves alone what machines and programmers read', () => {
  const sources = [
    'throw new Error("This cannot be so");',
    'reject(new TypeError(`No ${kind} is there`));',
    'class Refused extends Error { constructor() { super("It was refused at once"); } }',
    'console.warn("Something is odd");',
    'import a from "Some file.ts"; type B = "Two words" | "Live";',
    'const a = key === "Escape" ? "avc1.42e01f" : `translate(${x}px, ${y}px)`;',
    'fetch(url, { headers: { authorization: `Bearer ${token}` } });',
  ];
  expect(sources.flatMap((source) => texts(source, 'a.ts'))).toEqual([]);
});

it('finds what documents say', () => {
  const said = (html: string) => outsideInDocument(html).map(({ text }) => text);
  expect(said('<p class="soft">Hello <b>there</b></p>')).toEqual(['Hello', 'there']);
  expect(said('<input placeholder="Paste" /><title>Joining</title>')).toEqual(['Paste', 'Joining']);
  expect(said('<meta name="description" content="A shared screen" />')).toHaveLength(1);
  const right =
    '<!doctype html><!-- Some words. --><meta content="dark light" /><h1>Steadycast</h1>';
  expect(said(`${right}<p words>document.claim</p><i words-title="document.paste"></i>`)).toEqual(
    [],
  );
});

function filesOf(folder: string): string[] {
  return readdirSync(join(WEB, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(WEB, join(entry.parentPath, entry.name)));
}

it('finds nothing in the pages', () => {
  const scripts = filesOf('src').filter(
    (path) =>
      /\.tsx?$/.test(path) && !/\.test\.tsx?$|\.d\.ts$|^src\/words\/|\/fake[\w-]*\.ts$/.test(path),
  );
  const documents = readdirSync(WEB).filter((name) => name.endsWith('.html'));
  const read = (path: string) => readFileSync(join(WEB, path), 'utf8');
  const found = [
    ...scripts.map((path) => [path, outsideInScript(path, read(path))] as const),
    ...documents.map((path) => [path, outsideInDocument(read(path))] as const),
  ];
  expect(scripts.length).toBeGreaterThan(100);
  expect(documents.length).toBe(4);
  const said = found.flatMap(([path, all]) =>
    all.map(({ line, text }) => `${path}:${line} ${text}`),
  );
  expect(said.filter((one) => !DETAILS.test(one))).toEqual([]);
});
