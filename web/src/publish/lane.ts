/** One encoder and its track: what it makes of the newest picture, and when. */

import { localUs } from '../session/index.ts';
import { hostWords } from '../words/host.ts';
import { Aim } from './aim.ts';
import { Budget } from './budget.ts';
import { Changeover, isWorthwhile } from './changeover.ts';
import type { Candidate } from './codecs.ts';
import type { Plan } from './crop.ts';
import { type Decision, decide } from './decide.ts';
import { type EncodedPicture, PictureEncoder } from './encoder.ts';
import type { Crop, Size } from './geometry.ts';
import { Polish, SHARP_BITRATE } from './polish.ts';
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
  /** The network takes nothing more at present. */
  full: boolean;
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
  #encoder: PictureEncoder;
  /** A keyframe in the making, beside the open group. */
  #changeover: Changeover | null = null;
  /** A new group is wanted, but the open one is good for some time. */
  #groupWanted = false;
  /** This browser has no second encoder, or one that is too slow. */
  #alone = false;
  readonly #sharpener = new Sharpener();
  #limiter = new FrameRateLimiter(DEFAULT_QUALITY.frameRate);
  readonly #budget = new Budget();
  readonly #aim = new Aim();
  readonly #polish = new Polish();
  /** The next keyframe is to be a sharp one. */
  #sharp = false;
  /** Whether more than what was asked for would be late. */
  #limited = false;
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
      onPicture: (picture, from) => {
        if (from === this.#encoder) this.#encoded(picture);
        else this.#encodedApart(picture, from);
      },
      onRoom: () => options.onReady(),
      onFailure: (message, from) => {
        if (from === this.#encoder) this.#failed(message);
        else this.#giveUpChangeover();
      },
    });
  }

  /** A new session: its first frame is a keyframe, at once. null: there is none at present. */
  connect(uplink: Uplink | null): void {
    this.#uplink = uplink;
    this.#cancelChangeover();
    this.#encoder.wantKeyframe();
  }

  /** Soon, but without a still if that can be: the open group may go on for a moment. */
  wantKeyframe(): void {
    this.#groupWanted = true;
  }

  setQuality(quality: Quality): void {
    if (sameQuality(quality, this.#quality)) return;
    if (quality.codec !== this.#quality.codec) this.forgive();
    this.#quality = quality;
    this.#limiter = new FrameRateLimiter(quality.frameRate);
  }

  /**
   * Its encoder is to make no more than its quality's bitrate. `held`: what it makes beyond so many
   * bits a second holds up what follows. null: neither.
   */
  limit(limit: { held: number | null } | null): void {
    this.#limited = limit !== null;
    this.#budget.setRate(limit?.held ?? null);
    if (!this.#limited) this.#aim.reset();
  }

  /** Codecs that failed before may be tried again. */
  forgive(): void {
    this.#encoder.forgive();
  }

  /** A frame with something new is there. False: the one before was not encoded yet. */
  changed(): boolean {
    const dirty = this.#dirty;
    this.#dirty = true;
    this.#sharp = false;
    this.#polish.moved(this.#budget.opensMs > performance.now());
    return !dirty;
  }

  /** Does what is to be done for the newest frame now. */
  work(task: Task): void {
    this.#closed = false;
    if (this.#uplink === null) return;
    if (this.#limited) this.#aim.correct(this.#quality.bitrate, task.nowMs);
    this.#seeToSharpness(task.nowMs);
    if (!this.#encoder.isPrepared(this.#asked, task.plan.output)) {
      this.#held = 'encoder';
      this.#cancelChangeover();
      void this.#prepare(task.plan.output);
      return;
    }
    this.#seeToGroup(task, this.#uplink);
    this.#held = this.#decide(task, this.#uplink);
    if (this.#held === 'encode') this.#encode(task);
  }

  /** Lets go of the encoder, until there is something to do again. */
  close(): void {
    this.#closed = true;
    this.#dirty = false;
    this.#cancelChangeover();
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
    return Math.max(nowMs + (openUs - localUs()) / 1_000, this.#budget.opensMs);
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

  /** A picture that rests on a narrow path is to become sharp, and to stay so for whom joins or has lost it. */
  #seeToSharpness(nowMs: number): void {
    if (!this.#budget.limited || this.#dirty) return;
    const again = this.#polish.isMade && this.#groupWanted;
    if (!this.#polish.isDue(nowMs) && !again) return;
    this.#sharp = true;
    this.#groupWanted = false;
    this.#encoder.wantKeyframe();
  }

  /** Whether the next group is to begin, and how. */
  #seeToGroup(task: Task, uplink: Uplink): void {
    const { nowMs } = task;
    if (this.#changeover?.isLate(nowMs) || uplink.groupSpent) this.#giveUpChangeover();
    // At rest a keyframe disturbs nobody, and who joins later decodes no past; but a narrow path it takes
    // for seconds.
    const atRest = !this.#dirty && !this.#budget.limited && this.#sharpener.hasComeToRest(nowMs);
    this.#groupWanted ||= uplink.groupFull || (atRest && uplink.groupLong);
    if (!this.#groupWanted) return;
    // The one that is on its way will do, and it alone: each would hold up what comes after it.
    const coming = this.#changeover !== null || this.#encoder.keyframeComing;
    this.#groupWanted = false;
    if (coming) return;
    const unseen = isWorthwhile({
      moving: this.#sharpener.motion(nowMs) === 'moving',
      continuable: !this.#alone && uplink.groupOpen && !this.#encoder.keyframeWanted,
      keyframeMs: this.#encoder.keyframeMs,
      frameRate: this.#quality.frameRate,
    });
    if (!unseen || !this.#beginChangeover(task)) this.#encoder.wantKeyframe();
  }

  #decide({ kept, yields, full, nowMs }: Task, uplink: Uplink): Decision {
    const nowUs = localUs();
    return decide({
      // Nothing may have changed since the keyframe was begun: what follows it is still wanted.
      dirty: this.#dirty || this.#changeover?.wantsPicture === true,
      keyframeWanted: this.#encoder.keyframeWanted,
      refinementDue: this.#sharpener.isDue(nowMs),
      admitted: this.#dirty
        ? this.#limiter.admits(kept.capturedUs) || nowUs >= this.#limiter.overdueUs
        : this.#limiter.admits(nowUs),
      affordable: this.#budget.opensMs <= nowMs,
      yields: yields && nowMs < this.#workedMs + YIELD_MS,
      // What a keyframe costs is known once it is there.
      encoderQueue: this.#budget.limited && this.#encoder.keyframeComing ? 2 : this.#target.queue,
      uplinkBacklog: full ? Number.POSITIVE_INFINITY : uplink.backlog,
    });
  }

  /** The quality, as the encoder is told. */
  get #asked(): Quality {
    if (this.#sharp) return { ...this.#quality, bitrate: SHARP_BITRATE };
    return { ...this.#quality, bitrate: Math.round(this.#quality.bitrate * this.#aim.share) };
  }

  /** What encodes the next picture. */
  get #target(): PictureEncoder {
    const changeover = this.#changeover;
    return changeover?.phase === 'made' ? changeover.encoder : this.#encoder;
  }

  #encode(task: Task): void {
    const { kept, nowMs } = task;
    const refinement = !this.#dirty;
    const newestUs = refinement ? localUs() : kept.capturedUs;
    const capturedUs = Math.max(newestUs, this.#encodedUs + 1);
    // A keyframe of a picture at rest is coarse and sharpens all over again.
    const coarse = this.#encoder.keyframeWanted || this.#changeover?.phase === 'made';
    if (refinement && !coarse) this.#sharpener.refined(nowMs);
    else this.#sharpener.changed(nowMs);
    this.#limiter.take(capturedUs);
    this.#encodedUs = capturedUs;
    this.#workedMs = nowMs;
    this.#dirty = false;
    this.#sharp = false;
    if (this.#changeover?.phase === 'made') this.#changeover.follow();
    this.#target.encode(croppedFrame(task, capturedUs), { capturedUs, refinement });
  }

  /** False: there is no second encoder. */
  #beginChangeover(task: Task): boolean {
    const twin = this.#encoder.twin();
    if (twin === null) return false;
    const capturedUs = task.kept.capturedUs;
    const facts = { capturedUs, refinement: false };
    // Encoders want times that rise.
    this.#encodedUs = Math.max(this.#encodedUs, capturedUs);
    this.#changeover = new Changeover(twin, croppedFrame(task, capturedUs), facts, task.nowMs);
    return true;
  }

  #cancelChangeover(): void {
    this.#changeover?.cancel();
    this.#changeover = null;
  }

  /** The keyframe comes in the old way, now and from now on. */
  #giveUpChangeover(): void {
    if (this.#changeover === null) return;
    this.#cancelChangeover();
    this.#alone = true;
    this.#encoder.wantKeyframe();
    this.#options.onReady();
  }

  /** What the second encoder made. */
  #encodedApart(picture: EncodedPicture, from: PictureEncoder): void {
    const changeover = this.#changeover;
    if (changeover?.encoder !== from) return;
    const pictures = changeover.take(picture);
    if (pictures === null) {
      this.#options.onReady();
      return;
    }
    // What the first one has not finished by now is older than what is there.
    this.#encoder.close();
    this.#encoder = from;
    this.#changeover = null;
    for (const one of pictures) this.#encoded(one);
  }

  #encoded(picture: EncodedPicture): void {
    this.#options.onEncoded(picture.encodeMs);
    this.#budget.spend(picture.payload.length, performance.now());
    if (!picture.keyframe) this.#aim.made(picture.payload.length, performance.now());
    try {
      this.#uplink?.send(picture);
    } catch {
      // A picture beyond a limit of the wire: the rest of its group would hang in the air.
      this.#options.onError();
      this.#encoder.wantKeyframe();
    }
  }

  #failed(message: string): void {
    this.#failure = message;
    this.#cancelChangeover();
    this.#options.onError();
    this.#options.onReady();
  }

  async #prepare(size: Size): Promise<void> {
    if (this.#preparing) return;
    this.#preparing = true;
    const able = await this.#encoder.prepare(this.#asked, size).catch(() => false);
    this.#preparing = false;
    if (this.#closed) this.#encoder.close();
    else if (able) this.#options.onReady();
    else this.#options.onUnable(this.#failure ?? hostWords().failures.noEncoder);
  }
}

/** The part of the newest frame that is sent. */
function croppedFrame({ kept, plan }: Task, timestamp: number): VideoFrame {
  return new VideoFrame(kept.frame, { visibleRect: inCoded(plan.rect, kept.frame), timestamp });
}

/** A rectangle of the visible picture in the coordinates of the frame's memory. */
export function inCoded(rect: Crop, frame: VideoFrame): Crop {
  const { x = 0, y = 0 } = frame.visibleRect ?? {};
  return { ...rect, x: rect.x + Math.ceil(x / 2) * 2, y: rect.y + Math.ceil(y / 2) * 2 };
}
