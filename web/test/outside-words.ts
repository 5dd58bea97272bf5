/**
 * Finds what people would read and no table has: words in components, sentences in scripts, text of
 * documents. What programs say to programmers (errors, the console) is none of it.
 */

import { parseSync } from 'vite';

export interface Found {
  line: number;
  text: string;
}

interface Node {
  type: string;
  start: number;
  [key: string]: unknown;
}

/** Attributes that are read, by eyes or by screen readers. */
const READ = new Set([
  'alt',
  'aria-description',
  'aria-label',
  'aria-placeholder',
  'aria-roledescription',
  'aria-valuetext',
  'label',
  'placeholder',
  'title',
]);

const UNREAD = new Set(['className', 'd', 'points', 'transform', 'viewBox']);

/** Methods that take selectors. */
const SELECTING = new Set(['closest', 'matches', 'querySelector', 'querySelectorAll']);

/** The same in every language. */
const NEUTRAL = new Set(['Steadycast', 'ms', 's', 'fps', 'kbit/s', 'Mbit/s', 'px']);
/** Words that machines read. */
const NAMES = new Set([
  'Backspace',
  'Bearer',
  'Delete',
  'End',
  'Enter',
  'Escape',
  'Home',
  'Shift',
  'Tab',
  'Untitled',
  'Win',
]);

const LETTERS = /\p{L}/u;
/** Two words of which the first begins with a capital, three in a row, or one with a capital alone. */
const SENTENCE = /^\s*[„“"‘]?\p{Lu}\S* (?=.*\p{L}{2})\S|\p{L}{2,}[,:;]? \p{L}+[,:;]? \p{L}{2,}/u;
/** What keys are called on every keyboard. */
const KEYS = /^Alt\+\p{Lu}$/u;
const WORD = /^\p{Lu}\p{Ll}{2,}$/u;

/** In a script or a component; `name` says by its end which. */
export function outsideInScript(name: string, source: string): Found[] {
  const { program, errors } = parseSync(name, source);
  if (errors[0] !== undefined) throw new Error(`${name}: ${errors[0].message}`);
  const found: Found[] = [];
  const report = (node: Node, text: string) => {
    const line = source.slice(0, node.start).split('\n').length;
    found.push({ line, text: text.trim().replaceAll(/\s+/g, ' ') });
  };
  look(program as unknown as Node, false, report);
  return found;
}

type Report = (node: Node, text: string) => void;

/** `read`: whether whatever stands here is read, sentence or not. */
function look(node: Node, read: boolean, report: Report): void {
  if (isForMachines(node)) return;
  if (node.type === 'JSXText' && isReadText(String(node['value']))) {
    report(node, String(node['value']));
  }
  const text = textOf(node);
  if (text !== null && (read ? isReadText(text) : isSentence(text))) report(node, text);
  for (const [key, child] of Object.entries(node)) {
    if (key === 'quasis' || (key === 'key' && node['computed'] !== true)) continue;
    const inside = isReadAttribute(node) ? true : leavesReading(node, key) ? false : read;
    for (const one of Array.isArray(child) ? child : [child]) {
      if (isNode(one)) look(one, inside, report);
    }
  }
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value;
}

/** A string, or a template with a gap for each of its values. */
function textOf(node: Node): string | null {
  if (node.type === 'Literal') return typeof node['value'] === 'string' ? node['value'] : null;
  if (node.type !== 'TemplateLiteral') return null;
  const quasis = node['quasis'] as { value: { cooked: string } }[];
  return quasis.map(({ value }) => value.cooked).join('…');
}

function isReadText(text: string): boolean {
  if (KEYS.test(text)) return false;
  return text.split(/[\s…·/()]+/).some((word) => LETTERS.test(word) && !NEUTRAL.has(word));
}

function isSentence(text: string): boolean {
  if (NEUTRAL.has(text) || NAMES.has(text.split(' ')[0] ?? '')) return false;
  return WORD.test(text) || SENTENCE.test(text);
}

function isReadAttribute({ type, name }: Node): boolean {
  return type === 'JSXAttribute' && isNode(name) && READ.has(String(name['name']));
}

/** What is compared, called or chosen by is not what comes of it. */
function leavesReading({ type }: Node, key: string): boolean {
  if (type === 'ConditionalExpression') return key === 'test';
  return type === 'CallExpression' || type === 'BinaryExpression' || type === 'MemberExpression';
}

/** Types, imports, shapes, classes, and what errors and the console say. */
function isForMachines(node: Node): boolean {
  const { name, openingElement } = node;
  // What is typed into a machine is the same everywhere.
  if (isNode(openingElement) && isNode(openingElement['name'])) {
    if (/^(code|kbd|samp)$/.test(String(openingElement['name']['name']))) return true;
  }
  if (node.type === 'JSXAttribute') return isNode(name) && UNREAD.has(String(name['name']));
  if (/^(TS(?!As|NonNull|Satisfies)|Import|ExportAll)/.test(node.type)) return true;
  if (node.type === 'ThrowStatement') return true;
  if (node.type !== 'NewExpression' && node.type !== 'CallExpression') return false;
  const { callee } = node;
  if (!isNode(callee)) return false;
  if (callee.type === 'Super') return true;
  if (callee.type === 'Identifier') {
    return /(Error|Exception)$|^unreachable$/.test(String(callee['name']));
  }
  const { object, property } = callee;
  if (isNode(object) && object['name'] === 'console') return true;
  return isNode(property) && SELECTING.has(String(property['name']));
}

/** In a document, where the build puts words in the place of their names. */
export function outsideInDocument(html: string): Found[] {
  const found: Found[] = [];
  const blank = (part: string) => part.replaceAll(/[^\n]/g, ' ');
  const bare = html.replaceAll(/<!--[\s\S]*?-->|<style>[\s\S]*?<\/style>|<![^>]*>/g, blank);
  const read = [...READ].join('|');
  const attributes = new RegExp(`\\s(?:${read}|content)="([^"]*)"`, 'g');
  const report = (at: number, text: string) => {
    found.push({ line: html.slice(0, at).split('\n').length, text: text.trim() });
  };
  for (const tag of bare.matchAll(/<[^>]*>/g)) {
    for (const { 1: text = '' } of tag[0].matchAll(attributes)) {
      if (SENTENCE.test(text)) report(tag.index, text);
      else if (!tag[0].startsWith('<meta') && isReadText(text)) report(tag.index, text);
    }
  }
  const texts = bare.replaceAll(/<[^>]*>/g, (tag) => `<${blank(tag).slice(1)}`);
  for (const part of texts.matchAll(/[^<]+/g)) {
    const text = part[0].trim();
    if (isReadText(text) && !/^\w+\.\w+$/.test(text)) report(part.index, text);
  }
  return found;
}
