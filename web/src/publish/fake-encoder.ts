/** Encoders and frames for tests, on a virtual clock. */

import { vi } from 'vitest';
import type { Crop } from './geometry.ts';

/** What an encoder of text takes for a keyframe and for the others (AV1, 1280x720, two cores). */
export const COST_MS = { key: 138, delta: 7 };
/** Of a source of 1280x720. */
export const SOURCE = { x: 0, y: 0, width: 1280, height: 720 };

export class FakeFrame {
  readonly format = 'I420';
  readonly colorSpace = {};
  readonly timestamp: number;
  readonly visibleRect: Crop;
  /** What was copied out of it. */
  copied: DOMRectInit | null = null;

  constructor(_: unknown, init: FakeFrameInit) {
    const { timestamp, codedWidth: width, codedHeight: height } = init;
    this.timestamp = timestamp;
    const whole =
      width === undefined || height === undefined ? SOURCE : { x: 0, y: 0, width, height };
    this.visibleRect = init.visibleRect ?? whole;
  }

  async copyTo(_: unknown, { rect }: VideoFrameCopyToOptions): Promise<PlaneLayout[]> {
    this.copied = rect ?? null;
    return [];
  }

  close(): void {}
}

interface FakeFrameInit {
  timestamp: number;
  visibleRect?: Crop;
  codedWidth?: number;
  codedHeight?: number;
}

/** Takes its time for one frame after another, each encoder on a processor of its own. */
export class FakeEncoder extends EventTarget {
  static readonly made: FakeEncoder[] = [];
  static keyMs = COST_MS.key;
  static deltaMs = COST_MS.delta;
  static bytes = { key: 8, delta: 8 };
  /** What was encoded last, by any of them. */
  static last: FakeFrame | null = null;
  /** How many there may be at a time. */
  static most = Number.POSITIVE_INFINITY;
  state: CodecState = 'unconfigured';
  encodeQueueSize = 0;
  keyframes = 0;
  readonly #init: VideoEncoderInit;
  #freeMs = 0;

  static isConfigSupported = async () => ({ supported: true });

  constructor(init: VideoEncoderInit) {
    super();
    this.#init = init;
    FakeEncoder.made.push(this);
  }

  config: VideoEncoderConfig | null = null;
  /** What it was told to aim at, one after another. */
  readonly bitrates: (number | undefined)[] = [];

  configure(config: VideoEncoderConfig): void {
    this.config = config;
    if (this.bitrates.at(-1) !== config.bitrate) this.bitrates.push(config.bitrate);
    const open = FakeEncoder.made.filter(({ state }) => state === 'configured');
    if (open.length >= FakeEncoder.most) throw new Error('no more encoders');
    this.state = 'configured';
  }

  encode(frame: VideoFrame, { keyFrame = false }: VideoEncoderEncodeOptions = {}): void {
    const { timestamp } = frame;
    FakeEncoder.last = frame as unknown as FakeFrame;
    const key = keyFrame || this.keyframes === 0;
    if (key) this.keyframes += 1;
    this.encodeQueueSize += 1;
    const nowMs = performance.now();
    this.#freeMs = Math.max(nowMs, this.#freeMs) + (key ? FakeEncoder.keyMs : FakeEncoder.deltaMs);
    setTimeout(() => this.#output(timestamp, key), this.#freeMs - nowMs);
  }

  close(): void {
    this.state = 'closed';
  }

  #output(timestamp: number, key: boolean): void {
    if (this.state === 'closed') return;
    this.encodeQueueSize -= 1;
    const chunk = {
      type: key ? 'key' : 'delta',
      timestamp,
      byteLength: key ? FakeEncoder.bytes.key : FakeEncoder.bytes.delta,
      copyTo: () => undefined,
    };
    const decoderConfig = { codec: 'av01.0.08M.08', codedWidth: 1280, codedHeight: 720 };
    this.#init.output(chunk as unknown as EncodedVideoChunk, key ? { decoderConfig } : {});
    this.dispatchEvent(new Event('dequeue'));
  }
}

/** To be called before each test, with its timers faked. */
export function stubEncoders(): void {
  vi.stubGlobal('VideoEncoder', FakeEncoder);
  vi.stubGlobal('VideoFrame', FakeFrame);
  FakeEncoder.made.length = 0;
  FakeEncoder.last = null;
  FakeEncoder.keyMs = COST_MS.key;
  FakeEncoder.deltaMs = COST_MS.delta;
  FakeEncoder.bytes = { key: 8, delta: 8 };
  FakeEncoder.most = Number.POSITIVE_INFINITY;
}
