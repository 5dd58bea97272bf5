/** WebCodecs for sound, as far as hosts use it, for tests. */

interface Init {
  format?: string;
  sampleRate: number;
  numberOfChannels: number;
  numberOfFrames: number;
  timestamp: number;
  data: Float32Array;
}

/** Samples in planes, one after another. */
export class FakeAudioData {
  readonly sampleRate: number;
  readonly numberOfChannels: number;
  readonly numberOfFrames: number;
  readonly timestamp: number;
  readonly data: Float32Array;
  closed = false;

  constructor(init: Init) {
    this.sampleRate = init.sampleRate;
    this.numberOfChannels = init.numberOfChannels;
    this.numberOfFrames = init.numberOfFrames;
    this.timestamp = init.timestamp;
    this.data = init.data;
  }

  get duration(): number {
    return (this.numberOfFrames * 1_000_000) / this.sampleRate;
  }

  copyTo(out: Float32Array, { planeIndex }: { planeIndex: number }): void {
    const begin = planeIndex * this.numberOfFrames;
    out.set(this.data.subarray(begin, begin + this.numberOfFrames));
  }

  close(): void {
    this.closed = true;
  }
}

/** Makes a frame of ten bytes of each that it is given. */
export class FakeAudioEncoder {
  static made: FakeAudioEncoder[] = [];
  readonly #init: AudioEncoderInit;
  config: AudioEncoderConfig | null = null;
  state: CodecState = 'unconfigured';
  encodeQueueSize = 0;
  readonly given: FakeAudioData[] = [];
  /** Bytes of what it makes. */
  size = 10;

  constructor(init: AudioEncoderInit) {
    this.#init = init;
    FakeAudioEncoder.made.push(this);
  }

  configure(config: AudioEncoderConfig): void {
    this.config = config;
    this.state = 'configured';
  }

  encode(data: AudioData): void {
    const fake = data as unknown as FakeAudioData;
    this.given.push(fake);
    const { size } = this;
    const chunk = {
      timestamp: fake.timestamp,
      byteLength: size,
      copyTo: (bytes: Uint8Array) => bytes.fill(this.given.length),
    };
    queueMicrotask(() => this.#init.output(chunk as unknown as EncodedAudioChunk));
  }

  async flush(): Promise<void> {}

  close(): void {
    this.state = 'closed';
  }

  fail(): void {
    this.state = 'closed';
    this.#init.error(new DOMException('no more'));
  }
}
