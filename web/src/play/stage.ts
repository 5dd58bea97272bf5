/**
 * Where the pictures of the player's worker are seen: a video that plays a track, where the browser
 * makes tracks of frames, else a canvas.
 */

import { Sampler } from './look.ts';
import type { Surface } from './playback.ts';
import type { PictureTarget } from './renderer.ts';
import { StreamVideo } from './whep/video.ts';

/** Between looks at the picture while frames are shown, and while none are. */
const LOOK_EVERY_MS = 500;
const IDLE_LOOK_MS = 2_000;

export interface Stage {
  readonly element: Surface;
  /** For the worker, which it is transferred to. */
  readonly target: PictureTarget & Transferable;
  /** To be called once it is in the document, and at a viewer's gesture. */
  play(): void;
  /** To be called a few times per second once there is a picture. */
  look(): void;
  /** The last picture stays. */
  retire(): void;
}

export interface StageListener {
  /** Whether the browser wants a touch or a click first. */
  onBlocked: (blocked: boolean) => void;
  /** Whether nothing is to be seen. */
  onLook: (blank: boolean) => void;
}

export function makeStage(listener: StageListener): Stage {
  return 'MediaStreamTrackGenerator' in globalThis ? new VideoStage(listener) : new CanvasStage();
}

class VideoStage implements Stage {
  readonly target: WritableStream<VideoFrame>;
  readonly #video: StreamVideo;
  readonly #listener: StageListener;
  readonly #sampler = new Sampler();
  #lookedMs = Number.NEGATIVE_INFINITY;

  constructor(listener: StageListener) {
    this.#listener = listener;
    const track = new MediaStreamTrackGenerator({ kind: 'video' });
    this.target = track.writable;
    this.#video = new StreamVideo(new MediaStream([track]), {
      onFrame: () => this.#lookAfter(LOOK_EVERY_MS),
      onBlocked: listener.onBlocked,
    });
  }

  get element(): HTMLVideoElement {
    return this.#video.element;
  }

  play(): void {
    void this.#video.play();
  }

  look(): void {
    this.#lookAfter(IDLE_LOOK_MS);
  }

  retire(): void {
    this.#video.retire();
  }

  #lookAfter(ms: number): void {
    const nowMs = performance.now();
    // Hidden pages are given no frames.
    if (!this.#video.pictured || document.hidden || nowMs - this.#lookedMs < ms) return;
    this.#lookedMs = nowMs;
    this.#listener.onLook(this.#sampler.isBlank(this.element));
  }
}

/** The worker looks at it by itself. */
class CanvasStage implements Stage {
  readonly element = document.createElement('canvas');
  readonly target: OffscreenCanvas;

  constructor() {
    this.element.className = 'player-picture';
    this.target = this.element.transferControlToOffscreen();
  }

  play(): void {}
  look(): void {}
  retire(): void {}
}
