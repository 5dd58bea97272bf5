/** Reads the ruler of single pixels back from a player's picture: exactly which part it shows. */

import { RULER, rulerBits } from './code.ts';
import { pageScript } from './script.ts';

export interface Measured {
  /** The part of the captured page that the picture shows. */
  x: number;
  y: number;
  width: number;
  height: number;
  /** Whole rows and columns that agree with it in every pixel. */
  rows: number;
  columns: number;
}

export interface Size {
  width: number;
  height: number;
}

interface RulerOptions {
  order: number;
  period: number;
  thickness: number;
  /** How much of the picture, from its top left corner; null: all of it. */
  part: Size | null;
}

/**
 * An expression for the page of a player: what it shows, in this part of its picture, or null while the
 * ruler is not sharp.
 */
export function measureExpression(part: Size | null = null): string {
  return pageScript([measure, matchRows, matchColumns, rulerBits], { ...RULER, part });
}

/** The same for what it shows beside that part: how large the picture is, and how bright anything there. */
export function besideExpression(part: Size): string {
  return pageScript([lookBeside], part);
}

export interface Beside extends Size {
  /** The brightest green, of 255. */
  brightest: number;
}

function lookBeside(part: Size): Beside | null {
  const there = document.elementsFromPoint(innerWidth / 2, innerHeight / 2);
  const picture = there.find((element) => element.matches('canvas, video'));
  const isVideo = picture instanceof HTMLVideoElement;
  if (!(isVideo || picture instanceof HTMLCanvasElement)) return null;
  const width = isVideo ? picture.videoWidth : picture.width;
  const height = isVideo ? picture.videoHeight : picture.height;
  const sheet = new OffscreenCanvas(width, height).getContext('2d');
  if (sheet === null) return null;
  sheet.drawImage(picture, 0, 0);
  const { data } = sheet.getImageData(0, 0, width, height);
  let brightest = 0;
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      if (x < part.width && y < part.height) continue;
      brightest = Math.max(brightest, data[(y * width + x) * 4 + 1] ?? 0);
    }
  }
  return { width, height, brightest };
}

function measure({ order, period, thickness, part }: RulerOptions): Measured | null {
  const there = document.elementsFromPoint(innerWidth / 2, innerHeight / 2);
  const picture = there.find((element) => element.matches('canvas, video'));
  const isVideo = picture instanceof HTMLVideoElement;
  if (!(isVideo || picture instanceof HTMLCanvasElement)) return null;
  const width = part?.width ?? (isVideo ? picture.videoWidth : picture.width);
  const height = part?.height ?? (isVideo ? picture.videoHeight : picture.height);
  if (width < order || height < order) return null;
  const sheet = new OffscreenCanvas(width, height).getContext('2d');
  if (sheet === null) return null;
  sheet.drawImage(picture, 0, 0);
  const { data } = sheet.getImageData(0, 0, width, height);
  const bit = (x: number, y: number) => ((data[(y * width + x) * 4 + 1] ?? 0) > 128 ? '1' : '0');
  const text = rulerBits(order)
    .map((white) => (white ? '1' : '0'))
    .join('');
  const isBand = (at: number) => at % period < thickness;
  const across = matchRows(text, order, width, height, bit);
  if (across === null) return null;
  const columns = Array.from({ length: width }, (_, x) => x).filter((x) => isBand(across.at + x));
  const down = matchColumns(text, order, columns, height, bit, isBand);
  if (down === null) return null;
  const [x, y] = [across.at, down.at];
  return { x, y, width, height, rows: across.found, columns: down.found };
}

/** Rows that are a piece of the ruler from end to end, all the same piece. */
function matchRows(
  text: string,
  order: number,
  width: number,
  height: number,
  bit: (x: number, y: number) => string,
): { at: number; found: number } | null {
  let place: number | null = null;
  let found = 0;
  for (let y = 0; y < height; y += 1) {
    const row = Array.from({ length: width }, (_, x) => bit(x, y)).join('');
    const at = text.indexOf(row.slice(0, order));
    if (at === -1 || text.slice(at, at + width) !== row) continue;
    if (place !== null && place !== at) return null;
    place = at;
    found += 1;
  }
  return place === null ? null : { at: place, found };
}

/** The same down columns, but where a band across covers them. */
function matchColumns(
  text: string,
  order: number,
  columns: readonly number[],
  height: number,
  bit: (x: number, y: number) => string,
  isBand: (at: number) => boolean,
): { at: number; found: number } | null {
  let place: number | null = null;
  let found = 0;
  for (const x of columns) {
    const column = Array.from({ length: height }, (_, y) => bit(x, y)).join('');
    // Somewhere between two bands the column says where it begins.
    for (let start = 0; start + order <= Math.min(height, 64); start += 1) {
      const at = text.indexOf(column.slice(start, start + order)) - start;
      if (at < 0) continue;
      const agrees = [...column].every((value, y) => isBand(at + y) || value === text[at + y]);
      if (!agrees) continue;
      if (place !== null && place !== at) return null;
      place = at;
      found += 1;
      break;
    }
  }
  return place === null ? null : { at: place, found };
}
