/** Where a group ends and the next begins (PROTOCOL 4.6, 4.7); pure. */

import {
  GROUP_BYTES_MAX,
  GROUP_BYTES_TARGET,
  GROUP_FRAMES_MAX,
  GROUP_FRAMES_TARGET,
} from '@steadycast/codec-glue';

/** What is encoded but not yet counted when a keyframe is asked for: the encoder's queue. */
const IN_FLIGHT = 4;

/** A joining player decodes its whole group: one this long keeps it waiting. */
const LONG_FRAMES = 90;

/** A frame's place in its epoch. */
export interface Place {
  group: number;
  index: number;
}

/** Numbers the frames of one epoch and says when the group is full. */
export class Groups {
  #group = 0;
  #index = 0;
  #bytes = 0;

  /** Null for a frame that depends on a keyframe which this epoch never had. */
  place(keyframe: boolean, bytes: number): Place | null {
    if (keyframe) {
      this.#group += 1;
      this.#index = 0;
      this.#bytes = 0;
    }
    if (this.#group === 0) return null;
    const place = { group: this.#group, index: this.#index };
    this.#index += 1;
    this.#bytes += bytes;
    return place;
  }

  /** Whether the next frame should be a keyframe. */
  get full(): boolean {
    return this.#index >= GROUP_FRAMES_TARGET - IN_FLIGHT || this.#bytes >= GROUP_BYTES_TARGET;
  }

  /** Whether a frame more could be one too many: the next one has to be a keyframe. */
  get spent(): boolean {
    return this.#index >= GROUP_FRAMES_MAX - IN_FLIGHT || this.#bytes >= GROUP_BYTES_MAX * 0.75;
  }

  /** Whether a keyframe would be worth its price at a moment when nothing moves. */
  get long(): boolean {
    return this.#index >= LONG_FRAMES;
  }

  /** The newest group; 0 before the first. */
  get newest(): number {
    return this.#group;
  }
}
