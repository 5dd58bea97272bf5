/**
 * A page of text of which a column scrolls, for captures that are timed: draws the code thirty times
 * a second, and writes some lines anew, so that the source has bits to send.
 */

import { CODE, checksum, stampBits } from './code.ts';
import { drawCode } from './scene.ts';
import { pageScript } from './script.ts';

export interface ReadingOptions {
  /** Drawings a second. */
  fps: number;
  /** Lines that are written anew with every drawing, besides the scrolling. */
  busy: number;
}

/** What tests can do to the page, as `window.reading`. */
export interface Reading {
  /** Draws, or rests at what was drawn last. */
  moving: boolean;
}

declare global {
  interface Window {
    reading?: Reading;
  }
}

interface Given extends ReadingOptions {
  code: typeof CODE;
}

/** For pages at `path`. */
export function readingScript(options: ReadingOptions, path: string): string {
  const given: Given = { ...options, code: CODE };
  const parts = [runReading, textSheet, drawLine, drawCode, stampBits, checksum];
  return pageScript(parts, given, path);
}

function runReading({ fps, busy, code }: Given): void {
  const canvas = document.createElement('canvas');
  const context = canvas.getContext('2d', { alpha: false });
  if (context === null) return;
  const lineHeight = 18;
  const scene = Math.floor(Math.random() * 65_536);
  let sheet: ImageBitmap | null = null;
  let drawings = 0;
  const draw = () => {
    const { width, height } = canvas;
    drawings += 1;
    if (sheet === null) return;
    const left = Math.floor((width * 2) / 3);
    const wide = width - left;
    // The last column scrolls on and on, two pixels a drawing; the others stand still.
    const down = (drawings * 2) % sheet.height;
    for (const top of [0, sheet.height]) {
      context.drawImage(sheet, left, 0, wide, sheet.height, left, top - down, wide, sheet.height);
    }
    for (let line = 0; line < busy; line += 1) {
      const y = height - (line + 1) * lineHeight;
      drawLine(context, 0, y, width, lineHeight);
    }
    const stamp = { clock: Date.now() >>> 0, counter: drawings % 256, scene };
    drawCode(context, stampBits(stamp), code);
  };
  const reading: Reading = { moving: true };
  let slot = 0;
  const tick = (nowMs: number) => {
    const due = Math.floor((nowMs * fps) / 1_000 + 0.25);
    if (due !== slot && reading.moving) draw();
    slot = due;
    requestAnimationFrame(tick);
  };
  const fit = () => {
    canvas.width = innerWidth;
    canvas.height = innerHeight;
    const lines = Math.ceil(innerHeight / lineHeight) * 2;
    sheet = textSheet(innerWidth, lines * lineHeight, lineHeight);
    if (sheet !== null) context.drawImage(sheet, 0, 0);
  };
  const show = () => {
    canvas.style.cssText =
      'position:fixed;left:0;top:0;z-index:2147483647;pointer-events:none;display:block';
    document.documentElement.append(canvas);
    fit();
    addEventListener('resize', fit);
    requestAnimationFrame(tick);
  };
  Object.defineProperty(window, 'reading', { value: reading });
  if (document.readyState === 'loading') addEventListener('DOMContentLoaded', show);
  else show();
}

/** A bitmap, and not the canvas it was drawn on: of that, every use would make a copy. */
function textSheet(width: number, height: number, lineHeight: number): ImageBitmap | null {
  const sheet = new OffscreenCanvas(width, height);
  const context = sheet.getContext('2d', { alpha: false });
  if (context === null) return null;
  for (let y = 0; y < height; y += lineHeight) drawLine(context, 0, y, width, lineHeight);
  return sheet.transferToImageBitmap();
}

/** A line of made-up words, dark on light as on most screens. */
function drawLine(
  context: CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D,
  x: number,
  y: number,
  width: number,
  lineHeight: number,
): void {
  const letters = 'etaoinshrdlucmfwypvbgkjqxz';
  let text = '';
  while (text.length < width / 7) {
    const length = 2 + Math.floor(Math.random() * 8);
    for (let at = 0; at < length; at += 1) {
      text += letters[Math.floor(Math.random() * Math.random() * letters.length)];
    }
    text += ' ';
  }
  context.fillStyle = '#fff';
  context.fillRect(x, y, width, lineHeight);
  context.fillStyle = '#222';
  context.font = '14px sans-serif';
  context.fillText(text, x + 4, y + lineHeight - 5);
}
