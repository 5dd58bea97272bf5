/** Which frames are decoded: the newest group wins, from its keyframe on (PROTOCOL 2.10, 3.4, 4.8). */

import { type FrameHeader, MAIN_TRACK } from '@steadycast/codec-glue';

/** late: newer frames replace it; broken: its group cannot be decoded from here. */
export type Verdict = 'decode' | 'late' | 'broken';

export interface GroupPlace {
  track: number;
  epoch: number;
  group: number;
}

/** The order of one session's frames; a new session has a new one, for epochs may begin again. */
export class FrameOrder {
  #current: (GroupPlace & { stream: number }) | null = null;
  #broken = false;
  /** The track that the relay serves, and the one that it served before. */
  #served = MAIN_TRACK;
  #left: number | null = null;
  /** A keyframe of the track that was left came: either too late, or before word of the way back. */
  #missed = false;
  /** A track whose keyframe came before word of it, and one of another track behind it. */
  #overtaken: number | null = null;

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

  /** The relay says which track it serves; frames of it may have come already, and others still may. */
  serve(track: number): void {
    if (track === this.#served) return;
    const missed = (this.#missed && track === this.#left) || track === this.#overtaken;
    if (missed && this.#current?.track !== track) this.#broken = true;
    this.#overtaken = null;
    this.#left = this.#served;
    this.#served = track;
    this.#missed = false;
  }

  /**
   * Frames of one stream come in order; `stream` tells streams apart, because a group that is sent
   * once more begins again at its keyframe.
   */
  accept(stream: number, { keyframe, track, epoch, group }: FrameHeader): Verdict {
    if (keyframe) {
      const place = { track, epoch, group };
      if (this.#current !== null && this.#isReplaced(place, this.#current)) return 'late';
      const before = this.#current?.track ?? track;
      const told = before === this.#served || before === this.#left;
      if (before !== track && !told) this.#overtaken = before;
      this.#current = { stream, ...place };
      this.#broken = false;
      return 'decode';
    }
    if (this.#current?.stream !== stream) return 'late';
    return this.#broken ? 'broken' : 'decode';
  }

  /** Groups of two tracks cannot be compared: then the relay's word counts. */
  #isReplaced(place: GroupPlace, current: GroupPlace): boolean {
    if (place.epoch !== current.epoch) return place.epoch < current.epoch;
    if (place.track === current.track) return place.group < current.group;
    this.#missed ||= place.track === this.#left;
    return place.track === this.#left;
  }

  /** The current group is lost to the decoder; only a keyframe goes on. */
  break(): void {
    this.#broken = true;
  }
}
