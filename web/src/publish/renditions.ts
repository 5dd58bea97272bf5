/** The tracks that the relay wants besides the main one, each with an encoder (PROTOCOL 2.10). */

import type { CodecKind, Rendition } from '@steadycast/codec-glue';
import { type Candidate, onlyWay } from './codecs.ts';
import type { Size } from './geometry.ts';
import { Lane } from './lane.ts';
import { RateMeter } from './meters.ts';
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
  players: number;
  lane: Lane;
  bits: RateMeter;
  frames: RateMeter;
}

export class Renditions {
  readonly #options: RenditionsOptions;
  readonly #running = new Map<number, Running>();
  /** What could not be encoded since the session began, and why. */
  readonly #refused = new Map<CodecKind, string>();
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
  want(wanted: readonly Rendition[]): void {
    for (const [track, running] of this.#running) {
      if (!wanted.some((rendition) => rendition.track === track)) this.#end(track, running);
    }
    for (const { track, codec, players } of wanted) {
      const running = this.#running.get(track);
      if (running === undefined) this.#begin(track, codec, players);
      else running.players = players;
    }
  }

  setQuality(quality: Quality): void {
    // Another main codec, and what failed counts for nothing any more.
    if (quality.codec !== this.#quality?.codec) this.#refused.clear();
    this.#quality = quality;
    for (const { codec, lane } of this.#running.values()) lane.setQuality(alike(quality, codec));
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
    const running = [...this.#running.values()].map(({ codec, players, bits, frames }) => ({
      codec,
      players,
      bitsPerSecond: bits.rate(nowMs),
      fps: frames.rate(nowMs),
      refused: null,
    }));
    const refused = [...this.#refused].map(([codec, reason]) => ({
      codec,
      players: 0,
      bitsPerSecond: 0,
      fps: 0,
      refused: reason,
    }));
    return [...running, ...refused];
  }

  #begin(track: number, codec: CodecKind, players: number): void {
    if (this.#uplinks === null) return;
    const { onReady, onError, createLane = laneFor } = this.#options;
    const onUnable = (reason: string) => this.#refuse(track, codec, reason);
    const lane = createLane(codec, { onReady, onError, onUnable });
    if (this.#quality !== null) lane.setQuality(alike(this.#quality, codec));
    lane.connect(this.#uplinks.of(track));
    this.#refused.delete(codec);
    const meters = { bits: new RateMeter(), frames: new RateMeter() };
    this.#running.set(track, { codec, players, lane, ...meters });
  }

  #end(track: number, { lane }: Running): void {
    this.#running.delete(track);
    lane.connect(null);
    lane.close();
    this.#uplinks?.of(track).rest();
  }

  #refuse(track: number, codec: CodecKind, reason: string): void {
    const running = this.#running.get(track);
    if (running === undefined) return;
    this.#end(track, running);
    this.#refused.set(codec, reason);
    this.#options.onRefused(track, reason);
  }
}

function laneFor(codec: CodecKind, events: LaneEvents): Lane {
  const ways = (quality: Quality, size: Size): Candidate[] => [onlyWay(codec, quality, size)];
  return new Lane({ ...events, ways, onEncoded: () => undefined });
}

/** The admin's wishes for a rendition: the same but for the codec, and nothing to thin out. */
function alike(quality: Quality, codec: CodecKind): Quality {
  return { ...quality, codec, layers: 1 };
}
