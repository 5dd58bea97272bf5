/**
 * Looks at what a player shows at every animation frame, and notes when each new drawing of the
 * captured page is seen first. Reads a few pixels of the picture only: it must not slow the player.
 */

import { CODE, checksum, readStamp } from './code.ts';
import { pageScript } from './script.ts';

/** A drawing at its first sight. */
export interface Sight {
  /** Unix milliseconds. */
  atMs: number;
  /** How long before it was drawn. */
  ageMs: number;
}

export interface EyeReport {
  sights: Sight[];
  looks: number;
  /** Looks that found a picture, but could not read it. */
  unread: number;
  /** What the looks cost the page's main thread, in all. */
  spentMs: number;
  /** From opening the page to the first sight, and when the page was opened. */
  firstMs: number | null;
  openedMs: number;
}

export interface Eye {
  report(): EyeReport;
  /** Forgets all but the first sight. */
  reset(): void;
}

declare global {
  interface Window {
    eye?: Eye;
  }
}

/** For pages at `path`; the picture is not scaled against the captured page. */
export function eyeScript(path: string): string {
  return pageScript([runEye, shownPicture, readCode, readStamp, checksum], CODE, path);
}

function runEye(code: typeof CODE): void {
  const fresh = () => ({ sights: [] as Sight[], looks: 0, unread: 0, spentMs: 0 });
  let report = fresh();
  let firstMs: number | null = null;
  let last = '';
  const openedMs = performance.timeOrigin;
  const eye: Eye = {
    report: () => ({ ...report, firstMs, openedMs }),
    reset: () => {
      report = fresh();
    },
  };
  Object.defineProperty(window, 'eye', { value: eye });
  const sheet = new OffscreenCanvas(code.columns * 2, code.rows * 2);
  const context = sheet.getContext('2d', { willReadFrequently: true });
  if (context === null) return;
  context.imageSmoothingEnabled = false;
  const look = () => {
    requestAnimationFrame(look);
    const atMs = Date.now();
    const picture = shownPicture();
    if (picture === null) return;
    const beganMs = performance.now();
    const stamp = readCode(picture, context, code);
    report.looks += 1;
    report.spentMs += performance.now() - beganMs;
    if (stamp === null) {
      report.unread += 1;
      return;
    }
    const mark = `${stamp.scene} ${stamp.clock} ${stamp.counter}`;
    if (mark === last) return;
    last = mark;
    firstMs ??= atMs - openedMs;
    report.sights.push({ atMs, ageMs: ((atMs >>> 0) - stamp.clock) | 0 });
  };
  requestAnimationFrame(look);
}

/** The picture that lies on top. */
function shownPicture(): HTMLCanvasElement | HTMLVideoElement | null {
  const pictures = document.querySelectorAll<HTMLElement>('canvas, video');
  if (pictures.length > 1) {
    const there = document.elementsFromPoint(innerWidth / 2, innerHeight / 2);
    const top = there.find((element) => element.matches('canvas, video'));
    return (top ?? null) as HTMLCanvasElement | HTMLVideoElement | null;
  }
  return (pictures[0] ?? null) as HTMLCanvasElement | HTMLVideoElement | null;
}

/** Four pixels in the middle of each cell. */
function readCode(
  picture: HTMLCanvasElement | HTMLVideoElement,
  context: OffscreenCanvasRenderingContext2D,
  { x, y, cell, columns, rows }: typeof CODE,
) {
  const [wide, high] = [columns * 2, rows * 2];
  context.drawImage(picture, x, y, columns * cell, rows * cell, 0, 0, wide, high);
  const { data } = context.getImageData(0, 0, wide, high);
  const green = (column: number, row: number) => data[(row * wide + column) * 4 + 1] ?? 0;
  const bits = Array.from({ length: columns * rows }, (_, at) => {
    const column = (at % columns) * 2;
    const row = Math.floor(at / columns) * 2;
    const sum =
      green(column, row) +
      green(column + 1, row) +
      green(column, row + 1) +
      green(column + 1, row + 1);
    return sum < 4 * 128;
  });
  return readStamp(bits);
}
