/** What a capture window holds: tracks in its document, and in its worker frames, encoders and sessions. */

import type { BrowserContext, Page, Worker } from 'playwright-core';
import { NAME_SHIM } from './script.ts';
import { until } from './until.ts';

export interface Holdings {
  /** Of all that were captured: how many the browser still captures for this page. */
  tracks: number;
  /** Pictures and chunks of sound. */
  frames: number;
  encoders: number;
  transports: number;
}

/** Keeps what pages capture, so that they can be asked whether it has ended. Before any page is opened. */
export async function watchTracks(context: BrowserContext): Promise<void> {
  await context.addInitScript(() => {
    const devices = navigator.mediaDevices as MediaDevices | undefined;
    if (devices === undefined) return;
    const ask = devices.getDisplayMedia.bind(devices);
    const tracks: MediaStreamTrack[] = [];
    Object.assign(window, { captured: tracks });
    devices.getDisplayMedia = async (options) => {
      const stream = await ask(options);
      tracks.push(...stream.getTracks());
      return stream;
    };
  });
}

/** Counts from now on what the capture worker of a page opens and closes. */
export async function watchWorker(page: Page): Promise<Worker> {
  const worker = await until('the capture worker', () => page.workers()[0]);
  await worker.evaluate(NAME_SHIM);
  await worker.evaluate(() => {
    const open = { frames: 0, encoders: new Set<VideoEncoder | AudioEncoder>(), transports: 0 };
    const seen = new WeakSet<object>();
    const opened = (frame: object) => {
      if (seen.has(frame)) return;
      seen.add(frame);
      open.frames += 1;
    };
    const closed = new WeakSet<object>();
    const { close, clone } = VideoFrame.prototype;
    VideoFrame.prototype.close = function shut(this: VideoFrame) {
      if (seen.has(this) && !closed.has(this)) open.frames -= 1;
      closed.add(this);
      close.call(this);
    };
    const closeSound = AudioData.prototype.close;
    AudioData.prototype.close = function shut(this: AudioData) {
      if (seen.has(this) && !closed.has(this)) open.frames -= 1;
      closed.add(this);
      closeSound.call(this);
    };
    VideoFrame.prototype.clone = function copy(this: VideoFrame) {
      const frame = clone.call(this);
      opened(frame);
      return frame;
    };
    const { read } = ReadableStreamDefaultReader.prototype;
    const Frame = VideoFrame;
    ReadableStreamDefaultReader.prototype.read = async function next(
      this: ReadableStreamDefaultReader,
    ) {
      const result = await read.call(this);
      if (result.value instanceof Frame || result.value instanceof AudioData) opened(result.value);
      return result;
    } as typeof read;
    const scope = globalThis as unknown as Record<string, unknown>;
    scope['VideoFrame'] = new Proxy(Frame, {
      construct(target, given) {
        const frame = Reflect.construct(target, given) as object;
        opened(frame);
        return frame;
      },
    });
    scope['VideoEncoder'] = new Proxy(VideoEncoder, {
      construct(target, given) {
        const encoder = Reflect.construct(target, given) as VideoEncoder;
        open.encoders.add(encoder);
        return encoder;
      },
    });
    scope['AudioEncoder'] = new Proxy(AudioEncoder, {
      construct(target, given) {
        const encoder = Reflect.construct(target, given) as AudioEncoder;
        open.encoders.add(encoder);
        return encoder;
      },
    });
    scope['WebTransport'] = new Proxy(WebTransport, {
      construct(target, given) {
        const transport = Reflect.construct(target, given) as WebTransport;
        open.transports += 1;
        const gone = () => {
          open.transports -= 1;
        };
        transport.closed.then(gone, gone);
        return transport;
      },
    });
    scope['holdings'] = () => {
      for (const encoder of open.encoders) {
        if (encoder.state === 'closed') open.encoders.delete(encoder);
      }
      return { ...open, encoders: open.encoders.size };
    };
  });
  return worker;
}

export async function holdingsOf(page: Page, worker: Worker): Promise<Holdings> {
  const tracks = (await page.evaluate(
    'window.captured.filter(({ readyState }) => readyState === "live").length',
  )) as number;
  return { tracks, ...((await worker.evaluate('holdings()')) as Omit<Holdings, 'tracks'>) };
}
