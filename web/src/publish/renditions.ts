/** The tracks that the relay wants besides the main one, each with an encoder (PROTOCOL 2.10). */

import type { CodecKind, WantedTrack } from '@steadycast/codec-glue';
import { type Candidate, onlyWay } from './codecs.ts';
import type { Size } from './geometry.ts';
import { Lane } from './lane.ts';
import { RateMeter } from './meters.ts';
import { limitOf, narrowed } from './narrow.ts';
import type { Quality } from './quality.ts';
import type { RenditionFacts } from './status.ts';
import type { SentFrame } from './uplink.ts';
import type { SessionUplinks } from './uplinks.ts';

export interface RenditionsOptions {
  /** A lane may have something to do. */
  onReady: () => void;
  onError: () => void;
  /** This browser cannot encode a rendition. */
  onRefused: (track: number, reason: string) => void;
  /** What tests replace. */
  createLane?: (codec: CodecKind, events: LaneEvents) => Lane;
}

export interface LaneEvents {
  onReady: () => void;
  onError: () => void;
  onUnable: (reason: string) => void;
}

interface Running {
  codec: CodecKind;
  maxKbps: number | null;
  players: number;
  lane: Lane;
  bits: RateMeter;
  frames: RateMeter;
}

interface Refused {
  codec: CodecKind;
  maxKbps: number | null;
  reason: string;
}

export class Renditions {
  readonly #options: RenditionsOptions;
  readonly #running = new Map<number, Running>();
  /** What could not be encoded since the session began, and why, by its track. */
  readonly #refused = new Map<number, Refused>();
  #uplinks: SessionUplinks | null = null;
  #quality: Quality | null = null;

  constructor(options: RenditionsOptions) {
    this.#options = options;
  }

  /** A new session, which says what it wants. null: there is none, and nothing is wanted. */
  connect(uplinks: SessionUplinks | null): void {
    this.want([]);
    this.#uplinks = uplinks;
    this.#refused.clear();
  }

  /** Everything that is wanted from now on. */
  want(wanted: readonly WantedTrack[]): void {
    for (const [track, running] of this.#running) {
      const same = (one: WantedTrack) => one.track === track && one.codec === running.codec;
      if (!wanted.some(same)) this.#end(track, running);
    }
    for (const one of wanted) {
      const running = this.#running.get(one.track);
      if (running === undefined) this.#begin(one);
      else this.#change(running, one);
    }
  }

  setQuality(quality: Quality): void {
    // Another main codec, and what failed counts for nothing any more.
    if (quality.codec !== this.#quality?.codec) this.#refused.clear();
    this.#quality = quality;
    for (const running of this.#running.values()) running.lane.setQuality(alike(quality, running));
  }

  requestKeyframe(track: number): void {
    this.#running.get(track)?.lane.wantKeyframe();
  }

  /** A frame of a rendition has left. */
  sent(track: number, frame: SentFrame, nowMs: number): void {
    this.#running.get(track)?.bits.add(nowMs, frame.bytes * 8);
    this.#running.get(track)?.frames.add(nowMs);
  }

  lanes(): Lane[] {
    return [...this.#running.values()].map(({ lane }) => lane);
  }

  facts(nowMs: number): RenditionFacts[] {
    const running = [...this.#running.values()].map(
      ({ codec, maxKbps, players, bits, frames }) => ({
        codec,
        maxKbps,
        players,
        bitsPerSecond: bits.rate(nowMs),
        fps: frames.rate(nowMs),
        refused: null,
      }),
    );
    const refused = [...this.#refused.values()].map(({ codec, maxKbps, reason }) => ({
      codec,
      maxKbps,
      players: 0,
      bitsPerSecond: 0,
      fps: 0,
      refused: reason,
    }));
    return [...running, ...refused];
  }

  #begin(wanted: WantedTrack): void {
    if (this.#uplinks === null) return;
    const { track, codec, maxKbps, players } = wanted;
    const { onReady, onError, createLane = laneFor } = this.#options;
    const onUnable = (reason: string) => this.#refuse(track, lane, reason);
    const lane = createLane(codec, { onReady, onError, onUnable });
    if (this.#quality !== null) lane.setQuality(alike(this.#quality, wanted));
    lane.limit(limitOf(maxKbps));
    lane.connect(this.#uplinks.of(track));
    this.#refused.delete(track);
    const meters = { bits: new RateMeter(), frames: new RateMeter() };
    this.#running.set(track, { codec, maxKbps, players, lane, ...meters });
  }

  #change(running: Running, { maxKbps, players }: WantedTrack): void {
    running.players = players;
    if (maxKbps === running.maxKbps) return;
    running.maxKbps = maxKbps;
    running.lane.limit(limitOf(maxKbps));
    if (this.#quality !== null) running.lane.setQuality(alike(this.#quality, running));
  }

  #end(track: number, { lane }: Running): void {
    this.#running.delete(track);
    lane.connect(null);
    lane.close();
    this.#uplinks?.of(track).rest();
  }

  #refuse(track: number, lane: Lane, reason: string): void {
    const running = this.#running.get(track);
    if (running?.lane !== lane) return;
    this.#end(track, running);
    this.#refused.set(track, { codec: running.codec, maxKbps: running.maxKbps, reason });
    this.#options.onRefused(track, reason);
  }
}

function laneFor(codec: CodecKind, events: LaneEvents): Lane {
  const ways = (quality: Quality, size: Size): Candidate[] => [onlyWay(codec, quality, size)];
  return new Lane({ ...events, ways, onEncoded: () => undefined });
}

/** The admin's wishes for a rendition: the same but for its codec and limit, and nothing to thin out. */
function alike(quality: Quality, { codec, maxKbps }: Pick<Running, 'codec' | 'maxKbps'>): Quality {
  const wished = { ...quality, codec, layers: 1 };
  return maxKbps === null ? wished : narrowed(wished, maxKbps);
}
