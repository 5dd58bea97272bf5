/**
 * Looks at what the player really shows, from outside the player: reads the code back from the
 * pixels of its canvas or video some thirty times a second, and keeps count.
 */

import { CODE, checksum, readStamp, type Stamp } from './code.ts';
import { pageScript } from './script.ts';

/** Where the code may be in the player's picture: left, top, and the side of a cell. */
export interface Place {
  x: number;
  y: number;
  cell: number;
}

export interface Look extends Stamp {
  /** Unix milliseconds of the look. */
  atMs: number;
  /** How old the drawing was when it was seen. */
  ageMs: number;
}

export interface WitnessReport {
  looks: number;
  /** Looks that read a code. */
  read: number;
  /** Looks after the first code at which there was no picture. */
  blank: number;
  /** When those were, and what was on top and below: the first few. */
  blanks: { atMs: number; seen: string }[];
  /** Looks after the first code that saw a picture, but no code. */
  unread: number;
  /** Times that an older code of a scene came after a newer one; two scenes may overlap. */
  backwards: number;
  /** Older pictures that were gone at the next look: keyframes made beside the others (PROTOCOL 4.11). */
  flashes: number;
  /** Longest time between two different codes seen, since the last `reset`. */
  largestGapMs: number;
  /** The first code of every scene, in order. */
  scenes: Look[];
  first: Look | null;
  newest: Look | null;
  /** Ages of the newest codes, each at its first sight. */
  agesMs: number[];
  /** Changes of the page's own state, as it tells the viewer. */
  states: { kind: string; atMs: number }[];
}

export interface Witness {
  places: Place[];
  report(): WitnessReport;
  /** Begins the count of gaps and ages anew. */
  reset(): void;
}

declare global {
  interface Window {
    witness?: Witness;
  }
}

interface WitnessOptions {
  places: Place[];
  everyMs: number;
  grid: { columns: number; rows: number };
}

/** The code's place when nothing is cropped or scaled. */
export const UNCROPPED: Place = { x: CODE.x, y: CODE.y, cell: CODE.cell };

/** Where the code is in the player's picture when this part of the source is scaled so. */
export function placeIn(crop: { x: number; y: number }, scale = 1): Place {
  return {
    x: (CODE.x - crop.x) * scale,
    y: (CODE.y - crop.y) * scale,
    cell: CODE.cell * scale,
  };
}

/** For pages at `path`, or for the page that it is evaluated in. */
export function witnessScript(places: Place[], everyMs = 30, path?: string): string {
  const options: WitnessOptions = {
    places,
    everyMs,
    grid: { columns: CODE.columns, rows: CODE.rows },
  };
  const parts = [
    runWitness,
    findPicture,
    describePictures,
    takeLook,
    isBlank,
    readCells,
    readStamp,
    checksum,
  ];
  return pageScript(parts, options, path);
}

function runWitness({ places, everyMs, grid }: WitnessOptions): void {
  const report: WitnessReport = {
    looks: 0,
    read: 0,
    blank: 0,
    blanks: [],
    unread: 0,
    backwards: 0,
    flashes: 0,
    largestGapMs: 0,
    scenes: [],
    first: null,
    newest: null,
    agesMs: [],
    states: [],
  };
  let changedMs: number | null = null;
  let flash: Stamp | null = null;
  const witness: Witness = {
    places,
    report: () => ({ ...report, agesMs: [...report.agesMs], states: [...report.states] }),
    reset: () => {
      report.largestGapMs = 0;
      report.agesMs.length = 0;
      changedMs = null;
    },
  };
  Object.defineProperty(window, 'witness', { value: witness });
  const sheet = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const seen = (stamp: Stamp, nowMs: number) => {
    report.read += 1;
    const last = report.newest;
    if (last !== null && last.clock === stamp.clock && last.counter === stamp.counter) return;
    if (last?.scene === stamp.scene && ((stamp.clock - last.clock) | 0) < 0) {
      const stays = flash?.clock === stamp.clock && flash.counter === stamp.counter;
      flash = stamp;
      if (!stays) {
        report.flashes += 1;
        return;
      }
    }
    flash = null;
    const look: Look = { ...stamp, atMs: nowMs, ageMs: ((nowMs >>> 0) - stamp.clock) | 0 };
    if (last?.scene !== stamp.scene) report.scenes.push(look);
    else if (((stamp.clock - last.clock) | 0) < 0) report.backwards += 1;
    if (changedMs !== null) report.largestGapMs = Math.max(report.largestGapMs, nowMs - changedMs);
    changedMs = nowMs;
    report.first ??= look;
    report.newest = look;
    report.agesMs.push(look.ageMs);
    if (report.agesMs.length > 3_000) report.agesMs.shift();
  };
  setInterval(() => {
    const nowMs = Date.now();
    const kind = window.steadycast?.state?.().kind;
    if (kind !== undefined && report.states.at(-1)?.kind !== kind) {
      report.states.push({ kind, atMs: nowMs });
    }
    const picture = findPicture();
    if (picture === null || sheet === null) return;
    report.looks += 1;
    const saw = takeLook(picture, sheet, witness.places, grid);
    if (typeof saw === 'object') seen(saw, nowMs);
    else if (report.first !== null) report[saw] += 1;
    if (saw === 'blank' && report.first !== null && report.blanks.length < 20) {
      report.blanks.push({ atMs: nowMs, seen: describePictures() });
    }
  }, everyMs);
}

/** The picture that lies on top, and so is the one that is seen. */
function findPicture(): HTMLCanvasElement | HTMLVideoElement | null {
  // An element may have it in a root of its own.
  const [top] = document.elementsFromPoint(innerWidth / 2, innerHeight / 2);
  const root = top?.shadowRoot ?? document;
  const there = root.elementsFromPoint(innerWidth / 2, innerHeight / 2);
  const seen = there.find((element) => element.matches('canvas, video'));
  return (seen ?? document.querySelector('canvas')) as HTMLCanvasElement | HTMLVideoElement | null;
}

/** What pictures there are, the one on top first. */
function describePictures(): string {
  const there = document.elementsFromPoint(innerWidth / 2, innerHeight / 2);
  const pictures = there.filter((element) => element.matches('canvas, video'));
  const sizes = pictures.map((element) =>
    element instanceof HTMLVideoElement
      ? `video ${element.videoWidth}x${element.videoHeight} ready ${element.readyState}`
      : `canvas ${(element as HTMLCanvasElement).width}x${(element as HTMLCanvasElement).height}`,
  );
  return sizes.join(', ');
}

/** The code in the picture; or that there is a picture without, or none. */
function takeLook(
  picture: HTMLCanvasElement | HTMLVideoElement,
  sheet: CanvasRenderingContext2D,
  places: readonly Place[],
  grid: { columns: number; rows: number },
): Stamp | 'blank' | 'unread' {
  for (const { x, y, cell } of places) {
    const width = Math.ceil(grid.columns * cell);
    const height = Math.ceil(grid.rows * cell);
    sheet.canvas.width = width;
    sheet.canvas.height = height;
    sheet.drawImage(picture, x, y, width, height, 0, 0, width, height);
    const { data } = sheet.getImageData(0, 0, width, height);
    const stamp = readStamp(readCells(data, width, cell, grid));
    if (stamp !== null) return stamp;
  }
  return isBlank(picture, sheet) ? 'blank' : 'unread';
}

/**
 * Whether nothing is to be seen anywhere: on a canvas, that it is empty, for a picture may be dark (of
 * a tab that captures itself, before it has painted); in a video, that all is dark, for one without
 * a picture is black.
 */
function isBlank(
  picture: HTMLCanvasElement | HTMLVideoElement,
  sheet: CanvasRenderingContext2D,
): boolean {
  const side = 16;
  sheet.canvas.width = side;
  sheet.canvas.height = side;
  sheet.drawImage(picture, 0, 0, side, side);
  const { data } = sheet.getImageData(0, 0, side, side);
  if (picture instanceof HTMLCanvasElement) {
    return data.every((value, at) => at % 4 !== 3 || value === 0);
  }
  return data.every((value, at) => at % 4 === 3 || value < 48);
}

/** A dark cell is a one. Of each cell the middle is read; outside a picture everything is dark. */
function readCells(
  data: Uint8ClampedArray,
  width: number,
  cell: number,
  { columns, rows }: { columns: number; rows: number },
): boolean[] {
  const margin = cell / 4;
  return Array.from({ length: columns * rows }, (_, at) => {
    const left = (at % columns) * cell;
    const top = Math.floor(at / columns) * cell;
    let sum = 0;
    let count = 0;
    for (let y = Math.ceil(top + margin); y < top + cell - margin; y += 1) {
      for (let x = Math.ceil(left + margin); x < left + cell - margin; x += 1) {
        sum += data[(y * width + x) * 4 + 1] ?? 0;
        count += 1;
      }
    }
    return sum < 128 * count;
  });
}
