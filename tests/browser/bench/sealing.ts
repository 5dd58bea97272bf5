/**
 * What sealing and opening a picture costs in the browser (PROTOCOL 12.4), beside what of it is the browser's own cipher
 * (WebCrypto computes on a thread of its own, even for a few bytes) and what is copying.
 */

import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { rolldown } from 'rolldown';
import type * as Glue from '../../../codec-glue/ts/src/index.ts';
import { COMMON_FLAGS, EXECUTABLE } from '../src/chromium.ts';
import { NAME_SHIM } from '../src/script.ts';
import { percentile, print, type Row } from './figures.ts';

const GLUE = join(import.meta.dirname, '../../../codec-glue/ts/src/index.ts');
/** Bytes of a picture, and how long its p95 may take. */
const SIZES: readonly [number, number][] = [
  [8_000, 0.5],
  [300_000, 2],
];
const ROUNDS = 1_000;
/** The first ones are compiled meanwhile. */
const WARM = 100;

type Times = Record<'seal' | 'open' | 'cipher' | 'hop' | 'copy', number[]>;

export async function measureSealing(): Promise<Row[]> {
  const bundle = await rolldown({ input: GLUE });
  const { output } = await bundle.generate({ format: 'iife', name: 'glue' });
  await bundle.close();
  const browser = await chromium.launch({ executablePath: EXECUTABLE, args: [...COMMON_FLAGS] });
  const rows: Row[] = [];
  try {
    const page = await browser.newPage();
    // WebCrypto is for secure pages, which this machine's own are.
    await page.route('**/*', (route) => route.fulfill({ body: '', contentType: 'text/html' }));
    await page.goto('http://localhost/');
    await page.evaluate(NAME_SHIM);
    await page.addScriptTag({ content: output[0].code });
    for (const [size, goalMs] of SIZES) {
      const times = await page.evaluate(measure, { size, rounds: ROUNDS });
      rows.push(...rowsOf(size, goalMs, times));
    }
  } finally {
    await browser.close();
  }
  print(`Sealing and opening, ${ROUNDS} pictures each: p50 / p95 / p99`, rows);
  return rows;
}

function rowsOf(size: number, goalMs: number, times: Times): Row[] {
  const row = (what: keyof Times, goal: string): Row => {
    const shares = [0.5, 0.95, 0.99].map((share) => percentile(times[what].slice(WARM), share));
    const measured = `${shares.map((value) => value.toFixed(3)).join(' / ')} ms`;
    return { what: `${size / 1_000} kB: ${what}`, measured, goal };
  };
  const goal = `p95 <= ${goalMs} ms`;
  return [row('seal', goal), row('open', goal), row('cipher', ''), row('hop', ''), row('copy', '')];
}

/** Runs in the page. */
async function measure({ size, rounds }: { size: number; rounds: number }): Promise<Times> {
  const { newLinkKey, Opener, Sealer } = (globalThis as unknown as { glue: typeof Glue }).glue;
  const times: Times = { seal: [], open: [], cipher: [], hop: [], copy: [] };
  const key = newLinkKey();
  const [sealer, opener] = [new Sealer(key), new Opener(key)];
  const chunk = new Uint8Array(size).map((_, at) => at * 31);
  const aes = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 128 }, false, ['encrypt']);
  const timed = async <T>(what: keyof Times, act: () => T | Promise<T>): Promise<T> => {
    const began = performance.now();
    const made = await act();
    times[what].push(performance.now() - began);
    return made;
  };
  const cipher = (bytes: Uint8Array<ArrayBuffer>, round: number) => {
    const iv = new Uint8Array(12);
    new DataView(iv.buffer).setUint32(0, round);
    return crypto.subtle.encrypt({ name: 'AES-GCM', iv }, aes, bytes);
  };
  const few = new Uint8Array(16);
  for (let index = 1; index <= rounds; index += 1) {
    const place = { keyframe: false, refinement: false, sealed: true, track: 0, layer: 0 };
    const header = { ...place, epoch: 1, group: 1, index, captureUs: 1, config: null };
    const inside = { capturedUs: 1, distance: 1 };
    const payload = await timed('seal', () => sealer.pieces(header, inside, chunk));
    const whole = await new Blob(payload).bytes();
    await timed('open', () => opener.picture(header, whole));
    await timed('cipher', () => cipher(chunk, index));
    await timed('hop', () => cipher(few, index));
    await timed('copy', () => chunk.slice());
  }
  return times;
}
