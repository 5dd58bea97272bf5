/**
 * A new group that nobody sees begin. A keyframe can take an encoder the time of many frames (a
 * page of text in AV1: four to ten), and everything captured meanwhile would wait behind it. So a
 * second encoder makes the keyframe while the first goes on with the old group. Once the keyframe
 * is there, the newest picture is encoded after it, and both are sent together: from then on the
 * second encoder is the only one. The keyframe shows a picture from the past by then, which
 * decoders need and viewers do not: its capture time is that of the picture before (PROTOCOL 4.11).
 */

import type { EncodedPicture, FrameFacts, PictureEncoder } from './encoder.ts';

/** Longer than this, and the keyframe is made in the old way. */
const PATIENCE_MS = 3_000;

/** making: the keyframe is being encoded; made: it waits for the picture after it. */
type Phase = 'making' | 'made';

export class Changeover {
  readonly encoder: PictureEncoder;
  readonly #beganMs: number;
  #keyframe: EncodedPicture | null = null;
  #followed = false;

  /** Encodes the keyframe from `frame`, which is closed. */
  constructor(encoder: PictureEncoder, frame: VideoFrame, facts: FrameFacts, nowMs: number) {
    this.encoder = encoder;
    this.#beganMs = nowMs;
    encoder.encode(frame, facts);
  }

  get phase(): Phase {
    return this.#keyframe === null ? 'making' : 'made';
  }

  /** The keyframe is there, and no picture was given to its encoder since. */
  get wantsPicture(): boolean {
    return this.#keyframe !== null && !this.#followed;
  }

  /** A picture goes to the second encoder now. */
  follow(): void {
    this.#followed = true;
  }

  isLate(nowMs: number): boolean {
    return nowMs - this.#beganMs > PATIENCE_MS;
  }

  /** Takes what the second encoder made; what is to be sent once it takes over, else null. */
  take(picture: EncodedPicture): EncodedPicture[] | null {
    if (this.#keyframe !== null && !picture.keyframe) return [this.#keyframe, picture];
    // A second keyframe in a row stands for itself.
    if (this.#keyframe !== null) return [picture];
    this.#keyframe = picture;
    return null;
  }

  cancel(): void {
    this.encoder.close();
  }
}

/** Whether a keyframe is worth a second encoder; pure. */
export function isWorthwhile(now: {
  /** The picture moves: somebody would see it stand still. */
  moving: boolean;
  /** The open group can go on meanwhile. */
  continuable: boolean;
  /** How long a keyframe takes; null: unknown. */
  keyframeMs: number | null;
  frameRate: number;
}): boolean {
  if (!now.moving || !now.continuable || now.keyframeMs === null) return false;
  return now.keyframeMs > 1_000 / now.frameRate;
}
