/** Opus to samples, one frame after the other. */

import type { SoundFormat } from '@steadycast/codec-glue';
import { RATE } from './samples.ts';

/** As much of `AudioDecoder` as is used, so that tests can bring their own. */
export interface SoundDecoderLike {
  readonly state: CodecState;
  readonly decodeQueueSize: number;
  configure(config: AudioDecoderConfig): void;
  decode(chunk: EncodedAudioChunk): void;
  close(): void;
}

export type CreateSoundDecoder = (init: AudioDecoderInit) => SoundDecoderLike;

/** More frames than this in a decoder: it does not keep up, and what comes out is of no use. */
const QUEUE_MAX = 25;
const FRAME_US = 20_000;

export class SoundDecoder<Tag> {
  readonly #create: CreateSoundDecoder;
  readonly #onSound: (channels: Float32Array<ArrayBuffer>[], tag: Tag) => void;
  readonly #onError: () => void;
  #decoder: SoundDecoderLike | null = null;
  #channels = 0;
  /** Of frames that are being decoded: one comes out for each that goes in. */
  #tags: Tag[] = [];
  /** Decoders want times that grow; whose they are nobody asks. */
  #fed = 0;

  constructor(
    onSound: (channels: Float32Array<ArrayBuffer>[], tag: Tag) => void,
    onError: () => void,
    create: CreateSoundDecoder = (init) => new AudioDecoder(init),
  ) {
    this.#onSound = onSound;
    this.#onError = onError;
    this.#create = create;
  }

  decode(bytes: Uint8Array, { channels }: SoundFormat, tag: Tag): void {
    if (channels !== this.#channels) this.close();
    if (this.#decoder !== null && this.#decoder.decodeQueueSize > QUEUE_MAX) this.#fail();
    try {
      this.#decoder ??= this.#open(channels);
      this.#tags.push(tag);
      this.#fed += 1;
      const timestamp = this.#fed * FRAME_US;
      this.#decoder.decode(new EncodedAudioChunk({ type: 'key', timestamp, data: bytes }));
    } catch {
      this.#fail();
    }
  }

  close(): void {
    if (this.#decoder !== null && this.#decoder.state !== 'closed') this.#decoder.close();
    this.#decoder = null;
    this.#tags = [];
  }

  #open(channels: number): SoundDecoderLike {
    this.#channels = channels;
    const decoder = this.#create({
      output: (data) => {
        if (decoder === this.#decoder) this.#decoded(data);
        data.close();
      },
      error: () => {
        if (decoder === this.#decoder) this.#fail();
      },
    });
    decoder.configure({ codec: 'opus', sampleRate: RATE, numberOfChannels: channels });
    return decoder;
  }

  #decoded(data: AudioData): void {
    const tag = this.#tags.shift();
    if (tag === undefined) return;
    const channels = Array.from({ length: data.numberOfChannels }, (_, planeIndex) => {
      const samples = new Float32Array(data.numberOfFrames);
      data.copyTo(samples, { planeIndex, format: 'f32-planar' });
      return samples;
    });
    this.#onSound(channels, tag);
  }

  /** The next frame is decoded by another one. */
  #fail(): void {
    this.close();
    this.#onError();
  }
}
