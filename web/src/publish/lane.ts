/** One encoder and its track: what it makes of the newest picture, and when. */

import { localUs } from '../session/index.ts';
import type { Candidate } from './codecs.ts';
import type { Plan } from './crop.ts';
import { type Decision, decide } from './decide.ts';
import { type EncodedPicture, PictureEncoder } from './encoder.ts';
import type { Crop, Size } from './geometry.ts';
import { DEFAULT_QUALITY, type Quality, sameQuality } from './quality.ts';
import { FrameRateLimiter } from './rate.ts';
import { type Motion, Sharpener } from './sharpen.ts';
import type { Uplink } from './uplink.ts';

/** The newest frame, kept because no other may follow. */
export interface Kept {
  frame: VideoFrame;
  capturedUs: number;
}

/** The newest frame, and what is to be made of it. */
export interface Task {
  kept: Kept;
  plan: Plan;
  /** Others need the processor or the network more. */
  yields: boolean;
  nowMs: number;
}

export interface LaneOptions {
  /** The ways to encode, in order. */
  ways: (quality: Quality, size: Size) => Candidate[];
  onEncoded: (encodeMs: number) => void;
  /** There is more room, or the encoder is ready: `work` may have something to do. */
  onReady: () => void;
  /** A picture could not be encoded, or not be sent. */
  onError: () => void;
  /** Nothing of this browser can encode the picture in any of the ways. */
  onUnable: (reason: string) => void;
}

/** Who yields to others still gets a picture this often. */
const YIELD_MS = 200;

export class Lane {
  readonly #options: LaneOptions;
  readonly #encoder: PictureEncoder;
  readonly #sharpener = new Sharpener();
  #limiter = new FrameRateLimiter(DEFAULT_QUALITY.frameRate);
  #quality: Quality = DEFAULT_QUALITY;
  #uplink: Uplink | null = null;
  /** The newest frame shows something that was not encoded yet. */
  #dirty = false;
  /** What held the newest frame up. */
  #held: Decision = 'rest';
  #encodedUs = 0;
  #workedMs = Number.NEGATIVE_INFINITY;
  #preparing = false;
  #closed = true;
  #failure: string | null = null;

  constructor(options: LaneOptions) {
    this.#options = options;
    this.#encoder = new PictureEncoder({
      ways: options.ways,
      onPicture: (picture) => this.#encoded(picture),
      onRoom: () => options.onReady(),
      onFailure: (message) => {
        this.#failure = message;
        options.onError();
        options.onReady();
      },
    });
  }

  /** A new session: its first frame is a keyframe, at once. null: there is none at present. */
  connect(uplink: Uplink | null): void {
    this.#uplink = uplink;
    this.wantKeyframe();
  }

  wantKeyframe(): void {
    this.#encoder.wantKeyframe();
  }

  setQuality(quality: Quality): void {
    if (sameQuality(quality, this.#quality)) return;
    if (quality.codec !== this.#quality.codec) this.forgive();
    this.#quality = quality;
    this.#limiter = new FrameRateLimiter(quality.frameRate);
  }

  /** Codecs that failed before may be tried again. */
  forgive(): void {
    this.#encoder.forgive();
  }

  /** A frame with something new is there. False: the one before was not encoded yet. */
  changed(): boolean {
    const dirty = this.#dirty;
    this.#dirty = true;
    return !dirty;
  }

  /** Does what is to be done for the newest frame now. */
  work(task: Task): void {
    this.#closed = false;
    if (this.#uplink === null) return;
    if (!this.#encoder.isPrepared(this.#quality, task.plan.output)) {
      this.#held = 'encoder';
      void this.#prepare(task.plan.output);
      return;
    }
    this.#held = this.#decide(task, this.#uplink);
    if (this.#held === 'encode') this.#encode(task);
  }

  /** Lets go of the encoder, until there is something to do again. */
  close(): void {
    this.#closed = true;
    this.#dirty = false;
    this.#encoder.close();
  }

  /** When `work` has something to do even if nothing else happens. */
  dueMs(nowMs: number): number {
    if (this.#uplink === null) return Number.POSITIVE_INFINITY;
    // Room in a queue announces itself; only time does not.
    if (this.#held === 'encoder' || this.#held === 'uplink') return Number.POSITIVE_INFINITY;
    if (this.#held === 'others') return this.#workedMs + YIELD_MS;
    if (this.#held !== 'rate') return this.#sharpener.dueMs ?? Number.POSITIVE_INFINITY;
    const openUs = this.#dirty ? this.#limiter.overdueUs : this.#limiter.opensUs;
    return nowMs + (openUs - localUs()) / 1_000;
  }

  /** What held the newest frame up; null when there is no session that it could go to. */
  get held(): Decision | null {
    return this.#uplink === null ? null : this.#held;
  }

  /** Whether more is asked of processor or network than they give. */
  get isBehind(): boolean {
    return this.#dirty && (this.#held === 'encoder' || this.#held === 'uplink');
  }

  /** The way in use; null before the first picture. */
  get chosen(): Candidate | null {
    return this.#encoder.chosen;
  }

  get queue(): number {
    return this.#encoder.queue;
  }

  get backlog(): number {
    return this.#uplink?.backlog ?? 0;
  }

  motion(nowMs: number): Motion {
    return this.#sharpener.motion(nowMs);
  }

  #decide({ kept, yields, nowMs }: Task, uplink: Uplink): Decision {
    const atRest = !this.#dirty && this.#sharpener.hasComeToRest(nowMs);
    // At rest a keyframe disturbs nobody, and who joins later decodes no past.
    if (uplink.groupFull || (atRest && uplink.groupLong)) this.#encoder.wantKeyframe();
    const nowUs = localUs();
    return decide({
      dirty: this.#dirty,
      keyframeWanted: this.#encoder.keyframeWanted,
      refinementDue: this.#sharpener.isDue(nowMs),
      admitted: this.#dirty
        ? this.#limiter.admits(kept.capturedUs) || nowUs >= this.#limiter.overdueUs
        : this.#limiter.admits(nowUs),
      yields: yields && nowMs < this.#workedMs + YIELD_MS,
      encoderQueue: this.#encoder.queue,
      uplinkBacklog: uplink.backlog,
    });
  }

  #encode({ kept, plan, nowMs }: Task): void {
    const refinement = !this.#dirty;
    const newestUs = refinement ? localUs() : kept.capturedUs;
    const capturedUs = Math.max(newestUs, this.#encodedUs + 1);
    const rect = inCoded(plan.rect, kept.frame);
    const cropped = new VideoFrame(kept.frame, { visibleRect: rect, timestamp: capturedUs });
    // A keyframe of a picture at rest is coarse and sharpens all over again.
    if (refinement && !this.#encoder.keyframeWanted) this.#sharpener.refined(nowMs);
    else this.#sharpener.changed(nowMs);
    this.#limiter.take(capturedUs);
    this.#encodedUs = capturedUs;
    this.#workedMs = nowMs;
    this.#dirty = false;
    this.#encoder.encode(cropped, { capturedUs, refinement });
  }

  #encoded(picture: EncodedPicture): void {
    this.#options.onEncoded(picture.encodeMs);
    try {
      this.#uplink?.send(picture);
    } catch {
      // A picture beyond a limit of the wire: the rest of its group would hang in the air.
      this.#options.onError();
      this.#encoder.wantKeyframe();
    }
  }

  async #prepare(size: Size): Promise<void> {
    if (this.#preparing) return;
    this.#preparing = true;
    const able = await this.#encoder.prepare(this.#quality, size).catch(() => false);
    this.#preparing = false;
    if (this.#closed) this.#encoder.close();
    else if (able) this.#options.onReady();
    else this.#options.onUnable(this.#failure ?? 'this browser has no encoder for it.');
  }
}

/** A rectangle of the visible picture in the coordinates of the frame's memory. */
export function inCoded(rect: Crop, frame: VideoFrame): Crop {
  const { x = 0, y = 0 } = frame.visibleRect ?? {};
  return { ...rect, x: rect.x + Math.ceil(x / 2) * 2, y: rect.y + Math.ceil(y / 2) * 2 };
}
