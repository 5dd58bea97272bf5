/**
 * From the captured frames to the session: crop, limit, encode, send. Everything happens when a
 * frame, a chunk or room in a queue arrives; the only timer is for pictures that no frame follows.
 */

import { localUs } from '../session/index.ts';
import { CaptureClock } from './capture-clock.ts';
import { ChangeDetector } from './change.ts';
import { type Plan, planFor } from './crop.ts';
import { type Decision, decide } from './decide.ts';
import { type EncodedPicture, PictureEncoder } from './encoder.ts';
import { type Crop, type Size, sameCrop } from './geometry.ts';
import { Preview, type PreviewPicture } from './preview.ts';
import { DEFAULT_QUALITY, limitOf, type Quality, sameQuality } from './quality.ts';
import { FrameRateLimiter } from './rate.ts';
import { Sharpener } from './sharpen.ts';
import type { HostRates, PictureFacts } from './status.ts';
import type { Tally } from './tally.ts';
import type { Uplink } from './uplink.ts';

export interface PipelineOptions {
  tally: Tally;
  onPreview: (picture: PreviewPicture) => void;
  /** No codec of this browser can encode the picture. */
  onUnable: () => void;
}

/** The newest frame, kept because no other may follow. */
interface Kept {
  frame: VideoFrame;
  capturedUs: number;
}

export class Pipeline {
  readonly #options: PipelineOptions;
  readonly #encoder: PictureEncoder;
  readonly #preview: Preview;
  readonly #detector = new ChangeDetector();
  readonly #sharpener = new Sharpener();
  #clock = new CaptureClock();
  #limiter = new FrameRateLimiter(DEFAULT_QUALITY.frameRate);
  #quality: Quality = DEFAULT_QUALITY;
  #crop: Crop | null = null;
  #reader: ReadableStreamDefaultReader<VideoFrame> | null = null;
  #uplink: Uplink | null = null;
  #kept: Kept | null = null;
  /** The kept frame shows something that was not encoded yet. */
  #dirty = false;
  /** What held the kept frame up. */
  #held: Decision = 'rest';
  #previewStale = false;
  #encodedUs = 0;
  #preparing = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #timerMs = Number.POSITIVE_INFINITY;

  constructor(options: PipelineOptions) {
    this.#options = options;
    this.#preview = new Preview(options.onPreview);
    this.#encoder = new PictureEncoder({
      onPicture: (picture) => this.#encoded(picture),
      onRoom: () => this.#work(),
      onFailure: () => {
        options.tally.counts.encoderErrors += 1;
        this.#work();
      },
    });
  }

  /** Takes frames until the source ends or another takes its place; resolves then. */
  async run(readable: ReadableStream<VideoFrame>): Promise<void> {
    this.stop();
    this.#encoder.forgive();
    const reader = readable.getReader();
    this.#reader = reader;
    this.#clock = new CaptureClock();
    for (;;) {
      const { value: frame } = await reader.read().catch(() => ({ value: undefined }));
      if (frame === undefined) break;
      await this.#take(frame, reader);
    }
    if (this.#reader === reader) this.stop();
  }

  /** Lets go of the source and the encoder. */
  stop(): void {
    this.#reader?.cancel().catch(() => undefined);
    this.#reader = null;
    this.#kept?.frame.close();
    this.#kept = null;
    this.#dirty = false;
    this.#detector.forget();
    this.#encoder.close();
    this.#preview.close();
    this.#options.tally.paused();
    clearTimeout(this.#timer);
    this.#timerMs = Number.POSITIVE_INFINITY;
  }

  /** A new session: its first frame is a keyframe, at once. null: there is none at present. */
  connect(uplink: Uplink | null): void {
    this.#uplink = uplink;
    this.requestKeyframe();
  }

  requestKeyframe(): void {
    this.#encoder.wantKeyframe();
    this.#work();
  }

  /** Called when the session took a frame. */
  roomInUplink(): void {
    this.#work();
  }

  setCrop(crop: Crop | null): void {
    if (sameCrop(crop, this.#crop)) return;
    this.#crop = crop;
    this.#dirty = this.#kept !== null;
    this.#work();
  }

  setQuality(quality: Quality): void {
    if (sameQuality(quality, this.#quality)) return;
    if (quality.codec !== this.#quality.codec) this.#encoder.forgive();
    this.#quality = quality;
    this.#limiter = new FrameRateLimiter(quality.frameRate);
    this.#work();
  }

  /** A panel wants to see the source for the next seconds. */
  showPreview(): void {
    if (this.#preview.renew(performance.now())) this.#previewStale = true;
    this.#work();
  }

  get source(): Size | null {
    return this.#kept === null ? null : sizeOf(this.#kept.frame);
  }

  get crop(): Crop | null {
    return this.#crop;
  }

  get quality(): Quality {
    return this.#quality;
  }

  get picture(): PictureFacts | null {
    const chosen = this.#encoder.chosen;
    if (chosen === null || this.#kept === null) return null;
    const { width, height } = chosen.config;
    return { width, height, codec: chosen.config.codec };
  }

  motion() {
    return this.#sharpener.motion(performance.now());
  }

  rates(): HostRates {
    return {
      ...this.#options.tally.rates(performance.now()),
      encoderQueue: this.#encoder.queue,
      uplinkBacklog: this.#uplink?.backlog ?? 0,
    };
  }

  async #take(frame: VideoFrame, reader: ReadableStreamDefaultReader<VideoFrame>): Promise<void> {
    const nowMs = performance.now();
    const capturedUs = this.#clock.localUs(frame.timestamp, localUs());
    const { rect } = this.#planFor(frame);
    const changed = await this.#detector.changed(frame, inCoded(rect, frame), nowMs);
    this.#options.tally.arrived(nowMs, changed);
    if (this.#reader !== reader) {
      frame.close();
      return;
    }
    if (changed && this.#dirty) this.#countSkipped();
    this.#kept?.frame.close();
    this.#kept = { frame, capturedUs };
    this.#dirty ||= changed;
    // Outside the crop nothing is compared, but a panel sees it.
    this.#previewStale ||= changed || this.#crop !== null;
    this.#work();
  }

  /** Does what is to be done now and sets the timer for what comes later. */
  #work(): void {
    const kept = this.#kept;
    if (kept === null) return;
    const nowMs = performance.now();
    if (this.#previewStale && this.#preview.isDue(nowMs)) {
      this.#previewStale = false;
      this.#preview.show(kept.frame, nowMs);
    }
    this.#preview.rest(nowMs);
    if (this.#uplink !== null) this.#encodeIfWanted(kept, this.#uplink, nowMs);
    this.#schedule(nowMs);
  }

  #encodeIfWanted(kept: Kept, uplink: Uplink, nowMs: number): void {
    const plan = this.#planFor(kept.frame);
    if (!this.#encoder.isPrepared(this.#quality, plan.output)) {
      this.#held = 'encoder';
      void this.#prepare(plan.output);
      return;
    }
    const atRest = !this.#dirty && this.#sharpener.hasComeToRest(nowMs);
    // At rest a keyframe disturbs nobody, and who joins later decodes no past.
    if (uplink.groupFull || (atRest && uplink.groupLong)) this.#encoder.wantKeyframe();
    const nowUs = localUs();
    this.#held = decide({
      dirty: this.#dirty,
      keyframeWanted: this.#encoder.keyframeWanted,
      refinementDue: this.#sharpener.isDue(nowMs),
      admitted: this.#dirty
        ? this.#limiter.admits(kept.capturedUs) || nowUs >= this.#limiter.overdueUs
        : this.#limiter.admits(nowUs),
      encoderQueue: this.#encoder.queue,
      uplinkBacklog: uplink.backlog,
    });
    if (this.#held === 'encode') this.#encode(kept, plan, nowMs, nowUs);
  }

  #encode(kept: Kept, plan: Plan, nowMs: number, nowUs: number): void {
    const refinement = !this.#dirty;
    const capturedUs = Math.max(refinement ? nowUs : kept.capturedUs, this.#encodedUs + 1);
    const rect = inCoded(plan.rect, kept.frame);
    const cropped = new VideoFrame(kept.frame, { visibleRect: rect, timestamp: capturedUs });
    // A keyframe of a picture at rest is coarse and sharpens all over again.
    if (refinement && !this.#encoder.keyframeWanted) this.#sharpener.refined(nowMs);
    else this.#sharpener.changed(nowMs);
    this.#limiter.take(capturedUs);
    this.#encodedUs = capturedUs;
    this.#dirty = false;
    this.#encoder.encode(cropped, { capturedUs, refinement });
  }

  #encoded(picture: EncodedPicture): void {
    this.#options.tally.encoded(performance.now(), picture.encodeMs);
    try {
      this.#uplink?.send(picture);
    } catch {
      // A picture beyond a limit of the wire: the rest of its group would hang in the air.
      this.#options.tally.counts.encoderErrors += 1;
      this.#encoder.wantKeyframe();
    }
  }

  async #prepare(size: Size): Promise<void> {
    if (this.#preparing) return;
    this.#preparing = true;
    const able = await this.#encoder.prepare(this.#quality, size).catch(() => false);
    this.#preparing = false;
    if (this.#kept === null) this.#encoder.close();
    else if (able) this.#work();
    else this.#options.onUnable();
  }

  #schedule(nowMs: number): void {
    const dueMs = this.#nextDueMs(nowMs);
    if (dueMs >= this.#timerMs) return;
    clearTimeout(this.#timer);
    this.#timerMs = dueMs;
    this.#timer = setTimeout(
      () => {
        this.#timerMs = Number.POSITIVE_INFINITY;
        this.#work();
      },
      Math.max(1, dueMs - nowMs),
    );
  }

  #nextDueMs(nowMs: number): number {
    const preview = this.#previewStale && this.#preview.isWanted(nowMs);
    return Math.min(
      this.#uplink === null ? Number.POSITIVE_INFINITY : this.#encodeDueMs(nowMs),
      preview ? this.#preview.dueMs : Number.POSITIVE_INFINITY,
    );
  }

  #encodeDueMs(nowMs: number): number {
    // Room in a queue announces itself; only time does not.
    if (this.#held === 'encoder' || this.#held === 'uplink') return Number.POSITIVE_INFINITY;
    if (this.#held !== 'rate') return this.#sharpener.dueMs ?? Number.POSITIVE_INFINITY;
    const openUs = this.#dirty ? this.#limiter.overdueUs : this.#limiter.opensUs;
    return nowMs + (openUs - localUs()) / 1_000;
  }

  #countSkipped(): void {
    const { counts } = this.#options.tally;
    if (this.#uplink === null) return;
    if (this.#held === 'rate') counts.skippedForRate += 1;
    else if (this.#held === 'uplink') counts.skippedForUplink += 1;
    else counts.skippedForEncoder += 1;
  }

  #planFor(frame: VideoFrame): Plan {
    return planFor(sizeOf(frame), this.#crop, limitOf(this.#quality));
  }
}

function sizeOf(frame: VideoFrame): Size {
  const { width = 0, height = 0 } = frame.visibleRect ?? {};
  return { width, height };
}

/** A rectangle of the visible picture in the coordinates of the frame's memory. */
function inCoded(rect: Crop, frame: VideoFrame): Crop {
  const { x = 0, y = 0 } = frame.visibleRect ?? {};
  return { ...rect, x: rect.x + Math.ceil(x / 2) * 2, y: rect.y + Math.ceil(y / 2) * 2 };
}
