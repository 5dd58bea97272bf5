/** One VideoEncoder after another, behind one door: chooses the codec and survives its failures. */

import { colourOf, type DecoderConfig } from '@steadycast/codec-glue';
import {
  browserProber,
  type Candidate,
  type CodecId,
  candidates,
  chooseCodec,
  type EncoderConfig,
  type Prober,
} from './codecs.ts';
import type { Size } from './geometry.ts';
import type { Quality } from './quality.ts';

/** What travels with a frame through the encoder. */
export interface FrameFacts {
  /** Local clock, microseconds; rises from frame to frame and is the encoder's timestamp. */
  capturedUs: number;
  /** The same picture as before, encoded again. */
  refinement: boolean;
}

export interface EncodedPicture extends FrameFacts {
  keyframe: boolean;
  layer: number;
  /** Present on keyframes. */
  config: DecoderConfig | null;
  payload: Uint8Array;
  encodeMs: number;
}

export interface EncoderOptions {
  /** The ways to encode, in order. */
  ways?: (quality: Quality, size: Size) => Candidate[];
  onPicture: (picture: EncodedPicture, from: PictureEncoder) => void;
  /** The queue got shorter. */
  onRoom: () => void;
  /** The encoder broke; the next `prepare` takes another codec. */
  onFailure: (message: string, from: PictureEncoder) => void;
  prober?: Prober;
}

interface Pending extends FrameFacts {
  startedMs: number;
  keyframe: boolean;
}

export class PictureEncoder {
  readonly #options: EncoderOptions;
  readonly #prober: Prober;
  readonly #ways: (quality: Quality, size: Size) => Candidate[];
  /** Codecs that broke while encoding. */
  readonly #failed = new Set<CodecId>();
  readonly #pending = new Map<number, Pending>();
  #encoder: VideoEncoder | null = null;
  #chosen: Candidate | null = null;
  /** What the encoder was prepared for, as a key to compare. */
  #prepared = '';
  #keyWanted = true;
  /** From the newest keyframe that brought one. */
  #config: DecoderConfig | null = null;
  #keyframeMs: number | null = null;

  constructor(options: EncoderOptions) {
    this.#options = options;
    this.#prober = options.prober ?? browserProber;
    this.#ways = options.ways ?? candidates;
  }

  /**
   * Another one that encodes in the same way, begins with a keyframe and tells the same listeners.
   * null: this one is not ready either, or the browser has no second one.
   */
  twin(): PictureEncoder | null {
    if (this.#chosen === null || this.#encoder?.state !== 'configured') return null;
    const twin = new PictureEncoder(this.#options);
    try {
      twin.#renew();
      twin.#encoder?.configure(this.#chosen.config);
    } catch {
      twin.close();
      return null;
    }
    for (const id of this.#failed) twin.#failed.add(id);
    twin.#chosen = this.#chosen;
    twin.#prepared = this.#prepared;
    return twin;
  }

  /** How long the newest keyframe took; null before the first. */
  get keyframeMs(): number | null {
    return this.#keyframeMs;
  }

  /** The codec in use; null before the first `prepare`. */
  get chosen(): Candidate | null {
    return this.#chosen;
  }

  get queue(): number {
    return this.#encoder?.encodeQueueSize ?? 0;
  }

  isPrepared(quality: Quality, size: Size): boolean {
    return this.#prepared === keyOf(quality, size) && this.#encoder?.state === 'configured';
  }

  /** Makes ready for pictures of this size. False: the browser can encode nothing of the kind. */
  async prepare(quality: Quality, size: Size): Promise<boolean> {
    const chosen = await chooseCodec(this.#ways(quality, size), this.#prober, this.#failed);
    if (chosen === null) return false;
    const before = this.#encoder?.state === 'configured' ? this.#chosen : null;
    // A reconfigured encoder of the same codec keeps what is in its queue; another one cannot.
    if (before?.id !== chosen.id) this.#renew();
    this.#encoder?.configure(chosen.config);
    this.#chosen = chosen;
    this.#prepared = keyOf(quality, size);
    // At a new size VP9 and AV1 would go on with a delta frame; at a new rate all of them are to.
    this.#keyWanted ||= before === null || !goesOn(before.config, chosen.config);
    return true;
  }

  /** The next frame becomes a keyframe. */
  wantKeyframe(): void {
    this.#keyWanted = true;
  }

  get keyframeWanted(): boolean {
    return this.#keyWanted;
  }

  /** A keyframe is being encoded: it takes so long that others are asked for meanwhile. */
  get keyframeComing(): boolean {
    return [...this.#pending.values()].some(({ keyframe }) => keyframe);
  }

  /** Encodes the frame and closes it. */
  encode(frame: VideoFrame, facts: FrameFacts): void {
    const keyFrame = this.#keyWanted;
    try {
      const startedMs = performance.now();
      this.#pending.set(facts.capturedUs, { ...facts, startedMs, keyframe: keyFrame });
      this.#encoder?.encode(frame, { keyFrame });
      this.#keyWanted = false;
    } catch (error) {
      this.#fail(error);
    } finally {
      frame.close();
    }
  }

  /** Codecs that broke before may be tried again. */
  forgive(): void {
    this.#failed.clear();
  }

  close(): void {
    if (this.#encoder !== null && this.#encoder.state !== 'closed') this.#encoder.close();
    this.#encoder = null;
    this.#pending.clear();
    this.#prepared = '';
    this.#keyWanted = true;
    this.#config = null;
  }

  #renew(): void {
    this.close();
    const encoder: VideoEncoder = new VideoEncoder({
      output: (chunk, metadata) => {
        if (encoder === this.#encoder) this.#output(chunk, metadata);
      },
      error: (error) => {
        if (encoder === this.#encoder) this.#fail(error);
      },
    });
    encoder.addEventListener('dequeue', () => this.#options.onRoom());
    this.#encoder = encoder;
  }

  #output(chunk: EncodedVideoChunk, metadata: EncodedVideoChunkMetadata | undefined): void {
    const facts = this.#takeFacts(chunk.timestamp);
    const keyframe = chunk.type === 'key';
    if (metadata?.decoderConfig !== undefined) this.#config = wireConfig(metadata.decoderConfig);
    if (facts === null || (keyframe && this.#config === null)) {
      this.#keyWanted = true;
      return;
    }
    const payload = new Uint8Array(chunk.byteLength);
    chunk.copyTo(payload);
    const encodeMs = performance.now() - facts.startedMs;
    if (keyframe) this.#keyframeMs = encodeMs;
    const picture = {
      capturedUs: facts.capturedUs,
      refinement: facts.refinement,
      keyframe,
      layer: metadata?.svc?.temporalLayerId ?? 0,
      config: keyframe ? this.#config : null,
      payload,
      encodeMs,
    };
    this.#options.onPicture(picture, this);
  }

  /** An encoder may drop frames; those before this one will not come any more. */
  #takeFacts(timestamp: number): Pending | null {
    const facts = this.#pending.get(timestamp) ?? null;
    for (const earlier of this.#pending.keys()) {
      if (earlier > timestamp) break;
      this.#pending.delete(earlier);
    }
    return facts;
  }

  #fail(error: unknown): void {
    if (this.#chosen !== null) this.#failed.add(this.#chosen.id);
    this.close();
    this.#options.onFailure(error instanceof Error ? error.message : String(error), this);
  }
}

function keyOf(quality: Quality, size: Size): string {
  const { codec, bitrate, frameRate, layers } = quality;
  return [codec, bitrate, frameRate, layers, size.width, size.height].join(' ');
}

/** Whether frames of the one follow upon frames of the other. */
function goesOn(before: EncoderConfig, after: EncoderConfig): boolean {
  return (
    before.codec === after.codec &&
    before.width === after.width &&
    before.height === after.height &&
    before.scalabilityMode === after.scalabilityMode
  );
}

function wireConfig(config: VideoDecoderConfig): DecoderConfig {
  return {
    width: config.codedWidth ?? 0,
    height: config.codedHeight ?? 0,
    codec: config.codec,
    description: config.description === undefined ? new Uint8Array(0) : bytesOf(config.description),
    colour: colourOf(config.colorSpace),
  };
}

function bytesOf(source: AllowSharedBufferSource): Uint8Array {
  return ArrayBuffer.isView(source)
    ? new Uint8Array(source.buffer, source.byteOffset, source.byteLength).slice()
    : new Uint8Array(source).slice();
}
