/**
 * Frames of a capturer are lent: of a screen's, Chromium lets a page have two at a time, gives it
 * nothing new while it has them, and says nothing of that. One that got lost on its way to the page
 * counts as well, until the garbage collector finds it. So a picture that rests is kept as a copy;
 * and where the next frame has waited for that, every frame is.
 */

/** A frame that no other has followed for so long rests. */
const REST_MS = 300;
/** What comes so soon after a frame was given back has waited for it. */
const AT_ONCE_MS = 60;
/** So often in a row is no coincidence. */
const ROW = 3;

/** When to give a frame back; pure, the caller owns the timer. */
export class Loan {
  #lentMs: number | null = null;
  #returnedMs: number | null = null;
  #row = 0;

  /** Whether the browser gives nothing new before it has the last one back. */
  get isScarce(): boolean {
    return this.#row >= ROW;
  }

  /** When the frame that is lent at present is to be given back. */
  get dueMs(): number {
    return this.#lentMs === null ? Number.POSITIVE_INFINITY : this.#lentMs + REST_MS;
  }

  /** The next frame is there, and lent from now on. */
  lent(nowMs: number): void {
    const waited = this.#returnedMs !== null && nowMs - this.#returnedMs <= AT_ONCE_MS;
    if (!this.isScarce) this.#row = waited ? this.#row + 1 : 0;
    this.#lentMs = nowMs;
    this.#returnedMs = null;
  }

  /** The frame is given back. */
  returned(nowMs: number): void {
    this.#lentMs = null;
    this.#returnedMs = nowMs;
  }
}

/** What a frame shows, in memory of the page's own; null where the browser does not let it be read. */
export async function copied(frame: VideoFrame): Promise<VideoFrame | null> {
  const { format, visibleRect, timestamp, displayWidth, displayHeight, colorSpace } = frame;
  if (format === null || visibleRect === null) return null;
  try {
    const data = new Uint8Array(frame.allocationSize());
    const layout = await frame.copyTo(data);
    return new VideoFrame(data, {
      format,
      layout,
      codedWidth: visibleRect.width,
      codedHeight: visibleRect.height,
      displayWidth,
      displayHeight,
      colorSpace,
      timestamp,
      transfer: [data.buffer],
    });
  } catch {
    return null;
  }
}
