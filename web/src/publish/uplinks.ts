/** One session's uplinks: a track each, with groups that rise as long as the session lasts. */

import { MAIN_TRACK, type TrackGroup } from '@steadycast/codec-glue';
import type { Sealing } from '../privacy/sealing.ts';
import { type FrameCarrier, type SentFrame, Uplink } from './uplink.ts';

/** Before this version relays do not say how much has come (PROTOCOL 2.13). */
const REPORTED_SINCE = 3;

export interface SessionUplinksOptions {
  carrier: FrameCarrier;
  epoch: number;
  /** What frames are sealed with; null: the broadcast is not private. */
  sealing: Sealing | null;
  /** So many bytes are a stream's from now on, and will come unless the session ends. */
  onGiven: (bytes: number) => void;
  /** A frame has left, as far as its stream took it. */
  onSent: (track: number, frame: SentFrame) => void;
  /** A stream failed: nothing of its track goes until the next keyframe. */
  onKeyframeNeeded: (track: number) => void;
}

export class SessionUplinks {
  readonly #options: SessionUplinksOptions;
  readonly #uplinks = new Map<number, Uplink>();

  constructor(options: SessionUplinksOptions) {
    this.#options = options;
  }

  /** Whether the relay says how much has come. */
  get reported(): boolean {
    return this.#options.carrier.welcome.version >= REPORTED_SINCE;
  }

  /** What is known of the relay's clock so far. */
  get clock(): FrameCarrier['clock'] {
    return this.#options.carrier.clock;
  }

  get main(): Uplink {
    return this.of(MAIN_TRACK);
  }

  /** A track that rests and is wanted again goes on where it was. */
  of(track: number): Uplink {
    const known = this.#uplinks.get(track);
    if (known !== undefined) return known;
    const { carrier, epoch, sealing, onGiven, onSent, onKeyframeNeeded } = this.#options;
    const uplink = new Uplink({
      carrier,
      epoch,
      track,
      sealing,
      onGiven,
      onSent: (frame) => onSent(track, frame),
      onKeyframeNeeded: () => onKeyframeNeeded(track),
    });
    this.#uplinks.set(track, uplink);
    return uplink;
  }

  /** Takes back what was sent; gives of each track the first group that follows, in order. */
  takeBack(): TrackGroup[] {
    // Every picture has a main track, even if nothing has gone yet.
    void this.main;
    const tracks = [...this.#uplinks].sort(([one], [other]) => one - other);
    return tracks.map(([track, uplink]) => ({ track, group: uplink.takeBack() }));
  }

  /** Drops what waits; the streams end with their session. */
  close(): void {
    for (const uplink of this.#uplinks.values()) uplink.close();
  }
}
