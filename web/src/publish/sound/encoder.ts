/** Frames of the mix as Opus, one by one, in the order in which they come. */

import { FRAME, FRAME_US, RATE } from './timeline.ts';

/** Bits a second, by the number of channels: what is hardly to be told from the original. */
const BITRATES = { 1: 64_000, 2: 96_000 } as const;
/** An encoder that has more than this to do is not given more: half a second would only be late. */
const QUEUE_MAX = 25;
/** Frames of this length and less say that there is silence; they need not be sent (PROTOCOL 9.3). */
const SILENCE_BYTES = 2;
/** What is not louder than the least step of 16 bits is silence. */
const SILENT = 1 / 32_768;
/** So many frames of it are sent all the same: what was heard before is to end as it should. */
const SILENT_SENT = 5;
/** What a decoder gives first is from so long before what its first frame was made of (RFC 7845, 4.2). */
const LOOKAHEAD_US = 6_500;

export type Channels = 1 | 2;

export interface EncodedSound {
  bytes: Uint8Array;
  /** When what is heard first of it was captured, on the local clock. */
  capturedUs: number;
  /** Nothing was there right before it, or nothing but silence. */
  begins: boolean;
}

export interface SoundEncoderOptions {
  onSound: (sound: EncodedSound) => void;
  /** It is of no use any more. */
  onError: (reason: string) => void;
}

/** A frame that was given to the encoder, by the time that it was given with. */
interface Given {
  capturedUs: number;
  begins: boolean;
}

/** What the encoder is asked for; `opus` is what platform types lack. */
interface OpusConfig extends AudioEncoderConfig {
  opus: {
    frameDuration: number;
    usedtx: false;
    useinbandfec: boolean;
    application: 'audio';
    signal: 'auto';
  };
}

/**
 * Silence is left out by ourselves: Chromium's encoder would make nothing of it either, but the times of all that
 * follows would be as much too early. Losses are mended by repeating whole frames (PROTOCOL 9.4): Opus' own way would make every frame
 * coarser, for everybody, and only where it takes what it hears for speech.
 */
export function opusConfig(channels: Channels): OpusConfig {
  return {
    codec: 'opus',
    sampleRate: RATE,
    numberOfChannels: channels,
    bitrate: BITRATES[channels],
    opus: {
      frameDuration: FRAME_US,
      usedtx: false,
      useinbandfec: false,
      application: 'audio',
      signal: 'auto',
    },
  };
}

export class SoundEncoder {
  readonly channels: Channels;
  readonly #options: SoundEncoderOptions;
  readonly #encoder: AudioEncoder;
  readonly #given = new Map<number, Given>();
  /** Which frame is next to be given. */
  #next = 0;
  /** The one that came out last. */
  #out = -1;
  #skipped = false;
  /** Frames of silence in a row. */
  #silent = 0;

  constructor(channels: Channels, options: SoundEncoderOptions) {
    this.channels = channels;
    this.#options = options;
    this.#encoder = new AudioEncoder({
      output: (chunk) => this.#take(chunk),
      error: (error) => options.onError(error.message),
    });
    this.#encoder.configure(opusConfig(channels));
  }

  /** Takes a frame; false where the encoder has no time for it. */
  encode(left: Float32Array, right: Float32Array, { capturedUs, begins }: Given): boolean {
    if (this.#encoder.state !== 'configured') return false;
    this.#silent = isSilent(left) && isSilent(right) ? this.#silent + 1 : 0;
    if (this.#silent > SILENT_SENT) {
      this.#skipped = true;
      return true;
    }
    if (this.#encoder.encodeQueueSize >= QUEUE_MAX) {
      this.#skipped = true;
      return false;
    }
    // A time line of the encoder's own, without holes: what it is late by is the number of the frame.
    const timestamp = this.#next * FRAME_US;
    this.#given.set(this.#next, { capturedUs, begins: begins || this.#skipped });
    this.#skipped = false;
    this.#next += 1;
    const data = this.channels === 2 ? both(left, right) : middle(left, right);
    const frame = new AudioData({
      format: 'f32-planar',
      sampleRate: RATE,
      numberOfChannels: this.channels,
      numberOfFrames: FRAME,
      timestamp,
      data,
    });
    this.#encoder.encode(frame);
    frame.close();
    return true;
  }

  /** Resolves when all that it was given has come out. */
  async drained(): Promise<void> {
    // Where it fails, or is closed, nothing more comes.
    if (this.#encoder.state === 'configured') await this.#encoder.flush().catch(() => undefined);
  }

  close(): void {
    if (this.#encoder.state !== 'closed') this.#encoder.close();
    this.#given.clear();
  }

  #take(chunk: EncodedAudioChunk): void {
    const number = Math.round(chunk.timestamp / FRAME_US);
    const begins = this.#forgetUpTo(number);
    const given = this.#given.get(number);
    this.#given.delete(number);
    if (given === undefined || chunk.byteLength <= SILENCE_BYTES) return;
    const follows = number === this.#out + 1 && !begins && !given.begins;
    this.#out = number;
    const bytes = new Uint8Array(chunk.byteLength);
    chunk.copyTo(bytes);
    const capturedUs = given.capturedUs - LOOKAHEAD_US;
    this.#options.onSound({ bytes, capturedUs, begins: !follows });
  }

  /** Frames before this one came to nothing, for they were silent; whether one of them began. */
  #forgetUpTo(number: number): boolean {
    let begun = false;
    for (const [earlier, { begins }] of this.#given) {
      if (earlier >= number) break;
      begun ||= begins;
      this.#given.delete(earlier);
    }
    return begun;
  }
}

function isSilent(samples: Float32Array): boolean {
  return samples.every((sample) => Math.abs(sample) <= SILENT);
}

function both(left: Float32Array, right: Float32Array): Float32Array<ArrayBuffer> {
  const planes = new Float32Array(left.length + right.length);
  planes.set(left);
  planes.set(right, left.length);
  return planes;
}

function middle(left: Float32Array, right: Float32Array): Float32Array<ArrayBuffer> {
  return Float32Array.from(left, (sample, index) => (sample + (right[index] ?? 0)) / 2);
}
