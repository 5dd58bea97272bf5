/**
 * Small pictures of the whole source for panels. A VP8 keyframe in a RIFF container is a WebP
 * picture: the encoder scales and compresses off this thread in about 5 ms, where a canvas would
 * hold up the frames behind it for 25 ms.
 */

import { fit } from './crop.ts';
import { type Size, sameSize } from './geometry.ts';

/** Panels ask again within this time or the preview stops. */
const PREVIEW_LEASE_MS = 3_000;
const INTERVAL_MS = 200;
const REPEAT_MS = 900;
const LIMIT = { long: 640, short: 640 };
const BITRATE = 4_000_000;

export interface PreviewPicture extends Size {
  source: Size;
  /** A WebP file. */
  data: Uint8Array<ArrayBuffer>;
}

export class Preview {
  readonly #onPicture: (picture: PreviewPicture) => void;
  #encoder: VideoEncoder | null = null;
  #source: Size = { width: 0, height: 0 };
  #size: Size = { width: 0, height: 0 };
  #untilMs = 0;
  #shownMs = 0;
  #unable = false;

  constructor(onPicture: (picture: PreviewPicture) => void) {
    this.#onPicture = onPicture;
  }

  /**
   * A panel wants to see the source. Returns whether even a picture at rest is to be shown again: a
   * panel that opens later has seen nothing yet.
   */
  renew(nowMs: number): boolean {
    this.#untilMs = nowMs + PREVIEW_LEASE_MS;
    return nowMs - this.#shownMs >= REPEAT_MS;
  }

  isWanted(nowMs: number): boolean {
    return nowMs < this.#untilMs && !this.#unable;
  }

  /** When the next picture may be shown. */
  get dueMs(): number {
    return this.#shownMs + INTERVAL_MS;
  }

  isDue(nowMs: number): boolean {
    return this.isWanted(nowMs) && nowMs >= this.dueMs;
  }

  /** Shows the frame, which stays the caller's. */
  show(frame: VideoFrame, nowMs: number): void {
    this.#shownMs = nowMs;
    try {
      this.#configure({ width: frame.displayWidth, height: frame.displayHeight });
      const own = new VideoFrame(frame, { timestamp: Math.round(nowMs * 1_000) });
      this.#encoder?.encode(own, { keyFrame: true });
      own.close();
    } catch {
      this.#stop();
    }
  }

  /** Gives the encoder back once nobody looks. */
  rest(nowMs: number): void {
    if (this.#encoder !== null && !this.isWanted(nowMs)) this.close();
  }

  close(): void {
    if (this.#encoder !== null && this.#encoder.state !== 'closed') this.#encoder.close();
    this.#encoder = null;
  }

  #configure(source: Size): void {
    if (this.#encoder?.state === 'configured' && sameSize(source, this.#source)) return;
    this.#encoder ??= new VideoEncoder({
      output: (chunk) => this.#output(chunk),
      error: () => this.#stop(),
    });
    this.#source = source;
    this.#size = fit(source, LIMIT);
    this.#encoder.configure({
      codec: 'vp8',
      ...this.#size,
      bitrate: BITRATE,
      framerate: 1_000 / INTERVAL_MS,
      latencyMode: 'realtime',
    });
  }

  #output(chunk: EncodedVideoChunk): void {
    const payload = new Uint8Array(chunk.byteLength);
    chunk.copyTo(payload);
    this.#onPicture({ ...this.#size, source: this.#source, data: webp(payload) });
  }

  #stop(): void {
    this.#unable = true;
    this.close();
  }
}

/** The simple WebP file format: RIFF, a size, and one chunk with the keyframe. */
export function webp(keyframe: Uint8Array): Uint8Array<ArrayBuffer> {
  const padding = keyframe.length % 2;
  const file = new Uint8Array(20 + keyframe.length + padding);
  const view = new DataView(file.buffer);
  const tag = (at: number, text: string) => {
    for (let i = 0; i < text.length; i += 1) file[at + i] = text.charCodeAt(i);
  };
  tag(0, 'RIFF');
  view.setUint32(4, 12 + keyframe.length + padding, true);
  tag(8, 'WEBPVP8 ');
  view.setUint32(16, keyframe.length, true);
  file.set(keyframe, 20);
  return file;
}
