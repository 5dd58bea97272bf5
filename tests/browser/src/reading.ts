/**
 * A page of text that scrolls, for captures that are timed: draws the code thirty times a second
 * over columns of text, of which some lines are written anew, so that the source has bits to send.
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
  const columns = 3;
  const lineHeight = 18;
  const scene = Math.floor(Math.random() * 65_536);
  let sheet: OffscreenCanvas | null = null;
  let counter = 0;
  const draw = () => {
    const { width, height } = canvas;
    counter = (counter + 1) % 256;
    if (sheet === null) return;
    for (let column = 0; column < columns; column += 1) {
      const left = Math.floor((column * width) / columns);
      const wide = Math.ceil(width / columns);
      // Each column at a pace of its own, a whole number of pixels a drawing.
      const down = (counter * (column + 1)) % (sheet.height - height);
      context.drawImage(sheet, left, down, wide, height, left, 0, wide, height);
    }
    for (let line = 0; line < busy; line += 1) {
      const y = height - (line + 1) * lineHeight;
      drawLine(context, 0, y, width, lineHeight);
    }
    drawCode(context, stampBits({ clock: Date.now() >>> 0, counter, scene }), code);
  };
  let slot = 0;
  const tick = (nowMs: number) => {
    const due = Math.floor((nowMs * fps) / 1_000 + 0.25);
    if (due !== slot) draw();
    slot = due;
    requestAnimationFrame(tick);
  };
  const fit = () => {
    canvas.width = innerWidth;
    canvas.height = innerHeight;
    sheet = textSheet(innerWidth, innerHeight * 3, lineHeight);
  };
  const show = () => {
    canvas.style.cssText =
      'position:fixed;left:0;top:0;z-index:2147483647;pointer-events:none;display:block';
    document.documentElement.append(canvas);
    fit();
    addEventListener('resize', fit);
    requestAnimationFrame(tick);
  };
  if (document.readyState === 'loading') addEventListener('DOMContentLoaded', show);
  else show();
}

function textSheet(width: number, height: number, lineHeight: number): OffscreenCanvas | null {
  const sheet = new OffscreenCanvas(width, height);
  const context = sheet.getContext('2d', { alpha: false });
  if (context === null) return null;
  for (let y = 0; y < height; y += lineHeight) drawLine(context, 0, y, width, lineHeight);
  return sheet;
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
