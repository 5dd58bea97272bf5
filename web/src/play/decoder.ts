/** A VideoDecoder that survives errors, stalls and overload (never the end of the player). */

import { type DecoderConfig, type Frame, sameDecoderConfig } from '@steadycast/codec-glue';

/** Why the decoder needs a keyframe to go on. */
export type Break = 'error' | 'unsupported' | 'stalled' | 'overloaded';

export interface DecoderEvents<Tag> {
  /** A decoded frame with the tag that it was given; the callee closes it. */
  onFrame: (frame: VideoFrame, tag: Tag) => void;
  onBreak: (reason: Break, detail: string) => void;
}

/** The part of VideoDecoder that is used, so that tests can stand in for it. */
export type DecoderLike = Pick<
  VideoDecoder,
  'configure' | 'decode' | 'close' | 'decodeQueueSize' | 'state' | 'ondequeue'
>;
export type CreateDecoder = (init: VideoDecoderInit) => DecoderLike;

/** Chunks inside the VideoDecoder; the rest waits here, where it can still be dropped. */
const QUEUE_MAX = 16;
/** Frames and bytes that wait here; beyond, the decoder counts as overloaded. */
const WAITING_MAX = 400;
const WAITING_BYTES_MAX = 16 * 1024 * 1024;
/** Waiting frames that are not worked off in this time mean overload, too. */
const OVERLOAD_MS = 1_500;
/** Between skips for overload; doubles, because each may cost every viewer a keyframe. */
const SKIP_PAUSE_MS = { first: 2_000, most: 30_000 };
const STALL_MS = 1_500;
/** How many later frames may come out before one that will. */
const REORDER_MAX = 16;
/** A longer pause between two looks is this side's own sleep; throttled timers come every second. */
const ASLEEP_MS = 1_400;
/** Two errors within this time: the hardware decoder is not to be trusted. */
const ERROR_PAIR_MS = 30_000;

const BT601 = {
  primaries: 'smpte170m',
  transfer: 'smpte170m',
  matrix: 'smpte170m',
  fullRange: false,
} as const;

interface Waiting<Tag> {
  frame: Frame;
  tag: Tag;
}

export class FrameDecoder<Tag> {
  readonly #events: DecoderEvents<Tag>;
  readonly #create: CreateDecoder;
  readonly #now: () => number;
  #decoder: DecoderLike | null = null;
  #config: DecoderConfig | null = null;
  #software = false;
  #waiting: Waiting<Tag>[] = [];
  #waitingBytes = 0;
  /** Tags of what is inside the VideoDecoder, by chunk timestamp. */
  readonly #inside = new Map<number, Tag>();
  #sequence = 0;
  #newestOut = 0;
  #reorders = false;
  #progressMs = 0;
  #checkedMs = Number.NEGATIVE_INFINITY;
  #backlogMs: number | null = null;
  #skipPauseMs = SKIP_PAUSE_MS.first;
  #skippedMs = Number.NEGATIVE_INFINITY;
  #errorMs = Number.NEGATIVE_INFINITY;

  constructor(
    events: DecoderEvents<Tag>,
    create: CreateDecoder = (init) => new VideoDecoder(init),
    now: () => number = () => performance.now(),
  ) {
    this.#events = events;
    this.#create = create;
    this.#now = now;
  }

  /** The configuration in use. */
  get config(): DecoderConfig | null {
    return this.#config;
  }

  /** How many frames it has been given, and has not given back. */
  get pending(): number {
    return this.#waiting.length + this.#inside.size;
  }

  /** Takes the next frame to decode; after a break, the next one must be a keyframe. */
  decode(frame: Frame, tag: Tag): void {
    // Newer than all that waits, and decodable without it.
    if (frame.header.keyframe) this.drop();
    this.#waiting.push({ frame, tag });
    this.#waitingBytes += frame.payload.length;
    this.#pump();
    if (this.#waiting.length > WAITING_MAX || this.#waitingBytes > WAITING_BYTES_MAX) {
      this.#overloaded();
    }
  }

  /** Looks for stalls and overload; to be called a few times per second. */
  check(): void {
    const nowMs = this.#now();
    const asleep = nowMs - this.#checkedMs >= ASLEEP_MS;
    this.#checkedMs = nowMs;
    if (asleep) this.#woke(nowMs);
    const inside = this.#inside.size;
    // In software a single late frame is no sign: nothing better could be opened.
    const stalled = inside > (this.#software ? 2 : 0) && nowMs - this.#progressMs >= STALL_MS;
    if (stalled) {
      this.#software = true;
      this.#break('stalled', `${inside} frames without output`);
    } else if (this.#backlogMs !== null && nowMs - this.#backlogMs >= OVERLOAD_MS) {
      this.#overloaded();
    }
  }

  /** Forgets what is not decoded yet; the configuration stays for the next keyframe. */
  drop(): void {
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#backlogMs = null;
  }

  close(): void {
    this.drop();
    this.#closeDecoder();
  }

  /** Nothing was decoded meanwhile, and nothing could be: the clocks begin anew. */
  #woke(nowMs: number): void {
    this.#progressMs = nowMs;
    if (this.#backlogMs !== null) this.#backlogMs = nowMs;
  }

  #pump(): void {
    while (this.#waiting.length > 0) {
      if (this.#decoder !== null && this.#decoder.decodeQueueSize >= QUEUE_MAX) {
        this.#backlogMs ??= this.#now();
        return;
      }
      const next = this.#waiting.shift();
      if (next === undefined) return;
      this.#waitingBytes -= next.frame.payload.length;
      if (!this.#submit(next)) return;
    }
    this.#backlogMs = null;
  }

  #submit({ frame, tag }: Waiting<Tag>): boolean {
    try {
      const { keyframe, config } = frame.header;
      if (config !== null) this.#configure(config);
      if (this.#decoder === null) return false;
      this.#sequence += 1;
      if (this.#inside.size === 0) this.#progressMs = this.#now();
      // A number of our own: capture times may repeat, and every output must find its tag.
      this.#inside.set(this.#sequence, tag);
      const type = keyframe ? 'key' : 'delta';
      const chunk = { type, timestamp: this.#sequence, data: frame.payload } as const;
      this.#decoder.decode(new EncodedVideoChunk(chunk));
      return true;
    } catch (error) {
      this.#failed(error);
      return false;
    }
  }

  #configure(config: DecoderConfig): void {
    const same = this.#config !== null && sameDecoderConfig(this.#config, config);
    if (same && this.#decoder?.state === 'configured') return;
    if (this.#config?.codec !== config.codec) this.#software = false;
    this.#config = config;
    const decoder = this.#decoder ?? this.#open();
    decoder.configure({
      codec: config.codec,
      codedWidth: config.width,
      codedHeight: config.height,
      ...(config.description.length > 0 && { description: config.description }),
      ...colorSpaceOf(config),
      optimizeForLatency: true,
      ...(this.#software && { hardwareAcceleration: 'prefer-software' }),
    });
  }

  #open(): DecoderLike {
    const decoder: DecoderLike = this.#create({
      output: (frame) => {
        if (this.#decoder === decoder) this.#output(frame);
        else frame.close();
      },
      error: (error) => {
        if (this.#decoder === decoder) this.#failed(error);
      },
    });
    decoder.ondequeue = () => {
      if (this.#decoder === decoder) this.#pump();
    };
    this.#decoder = decoder;
    return decoder;
  }

  #output(frame: VideoFrame): void {
    this.#progressMs = this.#now();
    const tag = this.#inside.get(frame.timestamp);
    this.#inside.delete(frame.timestamp);
    // Frames that are shown in another order than they are decoded (B-frames) come back so.
    if (frame.timestamp < this.#newestOut) this.#reorders = true;
    this.#newestOut = Math.max(this.#newestOut, frame.timestamp);
    const outstanding = this.#reorders ? REORDER_MAX : 0;
    for (const sequence of this.#inside.keys()) {
      if (sequence < frame.timestamp - outstanding) this.#inside.delete(sequence);
    }
    if (tag === undefined) frame.close();
    else this.#events.onFrame(frame, tag);
    this.#pump();
  }

  #failed(error: unknown): void {
    const nowMs = this.#now();
    const unsupported = error instanceof Error && error.name === 'NotSupportedError';
    // Without a software decoder of this codec, the other kind is the one to try again.
    if (nowMs - this.#errorMs < ERROR_PAIR_MS) this.#software = !(unsupported && this.#software);
    this.#errorMs = nowMs;
    const detail = error instanceof Error ? error.message : String(error);
    this.#break(unsupported ? 'unsupported' : 'error', detail);
  }

  /** Too slow for what arrives: gives up the backlog for a fresh keyframe, but not too often. */
  #overloaded(): void {
    const nowMs = this.#now();
    const full = this.#waiting.length > WAITING_MAX || this.#waitingBytes > WAITING_BYTES_MAX;
    const pausedMs = nowMs - this.#skippedMs;
    if (!full && pausedMs < this.#skipPauseMs) return;
    this.#skipPauseMs =
      pausedMs > 2 * SKIP_PAUSE_MS.most
        ? SKIP_PAUSE_MS.first
        : Math.min(SKIP_PAUSE_MS.most, this.#skipPauseMs * 2);
    this.#skippedMs = nowMs;
    const count = this.#waiting.length;
    this.drop();
    this.#events.onBreak('overloaded', `${count} frames behind`);
  }

  #break(reason: Break, detail: string): void {
    this.drop();
    this.#closeDecoder();
    this.#events.onBreak(reason, detail);
  }

  #closeDecoder(): void {
    const decoder = this.#decoder;
    this.#decoder = null;
    this.#inside.clear();
    if (decoder !== null && decoder.state !== 'closed') decoder.close();
  }
}

/**
 * What the samples mean, where it is known: a decoder that is not told takes VP8 and VP9 for BT.709.
 * VP8 of which nothing is said is BT.601 by its definition (RFC 6386, 9.2).
 */
function colorSpaceOf({ codec, colour }: DecoderConfig): Pick<VideoDecoderConfig, 'colorSpace'> {
  const colorSpace = colour ?? (codec === 'vp8' ? BT601 : null);
  // TypeScript's list of names is shorter than WebCodecs'.
  return colorSpace === null ? {} : { colorSpace: colorSpace as VideoColorSpaceInit };
}
