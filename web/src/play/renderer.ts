/** Draws decoded frames; once there is a picture, there is always a picture. */

import type { Records } from './records.ts';
import { TrackRenderer } from './track-renderer.ts';

/** Where pictures go: a canvas, or a track that a video plays. */
export type PictureTarget = OffscreenCanvas | WritableStream<VideoFrame>;

/** What shows decoded frames. */
export interface Picture {
  /** Shows the frame and closes it. `look`: something could be lost just now. */
  draw(frame: VideoFrame, nowMs: number, look: boolean): void;
  /** Draws the picture over itself, for a listener that only notices draws. */
  redraw(): void;
  /** Looks whether there still is a picture although nothing was drawn. */
  look(nowMs: number): void;
}

export function pictureOn(target: PictureTarget, records: Records): Picture {
  if (target instanceof WritableStream) return new TrackRenderer(target);
  return new Renderer(target, records);
}

/** The side of the picture's miniature that is looked at. */
const SAMPLE_SIDE = 8;
/** Between two looks while nothing special happens. */
const CHECK_EVERY_MS = 500;

export class Renderer implements Picture {
  readonly #canvas: OffscreenCanvas;
  readonly #context: OffscreenCanvasRenderingContext2D;
  readonly #sample: OffscreenCanvasRenderingContext2D;
  readonly #records: Records;
  #pictured = false;
  #checkedMs = Number.NEGATIVE_INFINITY;

  constructor(canvas: OffscreenCanvas, records: Records) {
    this.#canvas = canvas;
    this.#records = records;
    // With an alpha channel: an emptied canvas is transparent and can be told from a dark picture.
    this.#context = context(canvas, {});
    const sample = new OffscreenCanvas(SAMPLE_SIDE, SAMPLE_SIDE);
    this.#sample = context(sample, { willReadFrequently: true });
  }

  /**
   * Draws the frame and closes it. A new size empties the canvas, which shows at the end of the
   * task; so the draw follows at once. `look`: check the result even if the last look was recent.
   */
  draw(frame: VideoFrame, nowMs: number, look: boolean): void {
    const resized = this.#fit(frame.displayWidth, frame.displayHeight);
    let drawn = false;
    try {
      this.#context.drawImage(frame, 0, 0, this.#canvas.width, this.#canvas.height);
      drawn = true;
    } finally {
      frame.close();
      if (resized && !drawn && this.#pictured) this.#records.count('blankResets');
    }
    this.#pictured = true;
    if (resized || look || nowMs - this.#checkedMs >= CHECK_EVERY_MS) this.#look(nowMs);
  }

  redraw(): void {
    if (this.#pictured) this.#context.drawImage(this.#canvas, 0, 0);
  }

  look(nowMs: number): void {
    if (this.#pictured) this.#look(nowMs);
  }

  #fit(width: number, height: number): boolean {
    if (this.#canvas.width === width && this.#canvas.height === height) return false;
    this.#canvas.width = width;
    this.#canvas.height = height;
    return true;
  }

  #look(nowMs: number): void {
    this.#checkedMs = nowMs;
    this.#records.count('blackChecks');
    this.#sample.clearRect(0, 0, SAMPLE_SIDE, SAMPLE_SIDE);
    this.#sample.drawImage(this.#canvas, 0, 0, SAMPLE_SIDE, SAMPLE_SIDE);
    const { data } = this.#sample.getImageData(0, 0, SAMPLE_SIDE, SAMPLE_SIDE);
    const empty = data.every((value, at) => at % 4 !== 3 || value === 0);
    if (empty) this.#records.count('blackFrames');
  }
}

function context(
  canvas: OffscreenCanvas,
  settings: CanvasRenderingContext2DSettings,
): OffscreenCanvasRenderingContext2D {
  const made = canvas.getContext('2d', settings);
  if (made === null) throw new TypeError('this browser draws on no offscreen canvas');
  return made;
}
