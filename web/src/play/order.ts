/** Which frames are decoded: the newest group wins, from its keyframe on (PROTOCOL 3.4, 4.8). */

import type { FrameHeader } from '@steadycast/codec-glue';

/** late: newer frames replace it; broken: its group cannot be decoded from here. */
export type Verdict = 'decode' | 'late' | 'broken';

export interface GroupPlace {
  epoch: number;
  group: number;
}

/** The order of one session's frames; a new session has a new one, for epochs may begin again. */
export class FrameOrder {
  #current: (GroupPlace & { stream: number }) | null = null;
  #broken = false;

  /** The group being decoded. */
  get current(): GroupPlace | null {
    return this.#current;
  }

  /** Whether the frames being decoded come on this stream. */
  isCurrent(stream: number): boolean {
    return this.#current?.stream === stream;
  }

  /** Whether nothing is decoded until the next keyframe. */
  get needsKeyframe(): boolean {
    return this.#broken;
  }

  /**
   * Frames of one stream come in order; `stream` tells streams apart, because a group that is sent
   * once more begins again at its keyframe.
   */
  accept(stream: number, { keyframe, epoch, group }: FrameHeader): Verdict {
    if (keyframe) {
      if (this.#current !== null && isOlder({ epoch, group }, this.#current)) return 'late';
      this.#current = { stream, epoch, group };
      this.#broken = false;
      return 'decode';
    }
    if (this.#current?.stream !== stream) return 'late';
    return this.#broken ? 'broken' : 'decode';
  }

  /** The current group is lost to the decoder; only a keyframe goes on. */
  break(): void {
    this.#broken = true;
  }
}

function isOlder(one: GroupPlace, other: GroupPlace): boolean {
  return one.epoch === other.epoch ? one.group < other.group : one.epoch < other.epoch;
}
