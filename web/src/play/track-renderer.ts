/**
 * Gives decoded frames to a track that a video element of the page plays. They go to the screen as
 * they are, without being drawn and copied first: that is a display's time earlier than by way of a
 * canvas, and cheaper. The video keeps the newest; the page looks whether it does.
 */

import type { Picture } from './renderer.ts';

export class TrackRenderer implements Picture {
  readonly #writer: WritableStreamDefaultWriter<VideoFrame>;

  constructor(track: WritableStream<VideoFrame>) {
    this.#writer = track.getWriter();
    // The element may go before its player does.
    this.#writer.closed.catch(() => undefined);
  }

  draw(frame: VideoFrame, nowMs: number): void {
    // The decoder's own numbers are no times.
    const timed = new VideoFrame(frame, { timestamp: Math.round(nowMs * 1_000) });
    frame.close();
    this.#writer.write(timed).catch(() => timed.close());
  }

  redraw(): void {}

  look(): void {}
}
