/** Videos without a decoder, for tests in jsdom. */

import { vi } from 'vitest';

type FrameCallback = (nowMs: number, metadata: { rtpTimestamp?: number; width: number }) => void;

/** What the miniature of the next looks is full of, and whether the next videos are in sight. */
export const seen = { value: 255, inSight: true };

/** Tells at once, and never again. */
class FakeObserver {
  readonly #tell: (entries: { isIntersecting: boolean }[]) => void;

  constructor(tell: (entries: { isIntersecting: boolean }[]) => void) {
    this.#tell = tell;
  }

  observe(): void {
    this.#tell([{ isIntersecting: seen.inSight }]);
  }

  disconnect(): void {}
}

const waiting = new WeakMap<HTMLVideoElement, FrameCallback>();

/** Puts fakes in the place of what jsdom lacks; `vi.unstubAllGlobals` and `restoreAllMocks` undo it. */
export function stubVideos(play: () => Promise<void> = async () => undefined): void {
  seen.value = 255;
  seen.inSight = true;
  vi.stubGlobal('IntersectionObserver', FakeObserver);
  const { prototype } = HTMLVideoElement;
  Object.assign(prototype, {
    requestVideoFrameCallback(this: HTMLVideoElement, callback: FrameCallback): number {
      waiting.set(this, callback);
      return 1;
    },
  });
  for (const [name, value] of [
    ['videoWidth', 640],
    ['videoHeight', 360],
    ['paused', false],
  ] as const) {
    Object.defineProperty(prototype, name, { configurable: true, get: () => value });
  }
  vi.spyOn(HTMLMediaElement.prototype, 'play').mockImplementation(play);
  vi.spyOn(HTMLMediaElement.prototype, 'pause').mockImplementation(() => undefined);
  vi.spyOn(HTMLCanvasElement.prototype, 'getContext').mockImplementation(
    () =>
      ({
        clearRect: () => undefined,
        drawImage: () => undefined,
        getImageData: () => ({ data: new Uint8ClampedArray(256).fill(seen.value) }),
      }) as unknown as RenderingContext,
  );
}

/** Gives the video a frame to show. */
export function frame(video: HTMLVideoElement | null, rtpTimestamp?: number): void {
  tell(video, rtpTimestamp);
  video?.dispatchEvent(new Event('loadeddata'));
}

/** Tells of a frame that cannot be looked at yet, as browsers do when they are busy. */
export function tell(video: HTMLVideoElement | null, rtpTimestamp?: number): void {
  if (video === null) throw new Error('no video');
  const callback = waiting.get(video);
  waiting.delete(video);
  callback?.(0, { width: 640, ...(rtpTimestamp !== undefined && { rtpTimestamp }) });
}
