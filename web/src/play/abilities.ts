/** Which codecs this browser decodes: what it promises, less what it turned out not to keep. */

import { CODEC_KINDS, type CodecKind, codecKind } from '@steadycast/codec-glue';

/** Asks the browser whether it can decode so. */
export type DecodeProber = (config: VideoDecoderConfig) => Promise<boolean>;

/** One of each family that every decoder of the family has. */
const SAMPLES: Record<CodecKind, string> = {
  av1: 'av01.0.08M.08',
  h264: 'avc1.42e01f',
  vp9: 'vp09.00.40.08',
  vp8: 'vp8',
};

/** Failures in a row without a picture: the decoder is tried twice as it comes, and in software. */
const FAILURES_MAX = 3;

async function browserProber(config: VideoDecoderConfig): Promise<boolean> {
  return (await VideoDecoder.isConfigSupported(config)).supported === true;
}

export class Abilities {
  readonly #prober: DecodeProber;
  /** Null until it is known. */
  #codecs: ReadonlySet<CodecKind> | null = null;
  readonly #failures = new Map<CodecKind, number>();

  constructor(prober: DecodeProber = browserProber) {
    this.#prober = prober;
  }

  /** Everything that can be decoded; null while nothing is known. */
  get codecs(): CodecKind[] | null {
    const codecs = this.#codecs;
    return codecs && CODEC_KINDS.filter((kind) => codecs.has(kind));
  }

  /** Asks the browser. A browser that says no to everything is not believed: it is tried out. */
  async probe(): Promise<void> {
    const answers = await Promise.all(
      CODEC_KINDS.map((kind) => this.#prober({ codec: SAMPLES[kind] }).catch(() => false)),
    );
    const codecs = CODEC_KINDS.filter((_, place) => answers[place] === true);
    if (codecs.length > 0) this.#codecs = new Set(codecs);
  }

  /** Whether a stream in this codec is worth a try. */
  mayDecode(codec: string): boolean {
    const kind = codecKind(codec);
    return this.#codecs === null || kind === null || this.#codecs.has(kind);
  }

  /** A picture in this codec came out of the decoder. */
  worked(codec: string): void {
    const kind = codecKind(codec);
    if (kind !== null) this.#failures.delete(kind);
  }

  /** The decoder failed. True when the codec is given up for good. */
  failed(codec: string): boolean {
    const kind = codecKind(codec);
    const codecs = this.#codecs;
    if (kind === null || codecs === null || !codecs.has(kind)) return false;
    const failures = (this.#failures.get(kind) ?? 0) + 1;
    this.#failures.set(kind, failures);
    // The last one is never given up: nothing could come after it.
    if (failures < FAILURES_MAX || codecs.size === 1) return false;
    this.#codecs = new Set([...codecs].filter((other) => other !== kind));
    return true;
  }
}
