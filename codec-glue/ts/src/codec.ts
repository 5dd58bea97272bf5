/** Codecs, and the tracks that carry them (PROTOCOL 2.10). */

/** In the order of the wire. */
export const CODEC_KINDS = ['av1', 'h264', 'vp9', 'vp8'] as const;
/** A family of codecs that browsers and WebRTC know. */
export type CodecKind = (typeof CODEC_KINDS)[number];

/** What the publisher chose. */
export const MAIN_TRACK = 0;
/** The codecs of tracks 1, 2, ...: in the order in which they are asked for. */
export const RENDITION_CODECS = ['h264', 'vp8', 'vp9', 'av1'] as const;
/** Before version 3 it was the last of those. */
export const TRACK_MAX = 15;

/** What a track carries, in the order of the wire. */
export const MEDIA_KINDS = ['video'] as const;
export type MediaKind = (typeof MEDIA_KINDS)[number];

/** In the order of the wire. */
export const SERVICES = ['ready', 'preparing', 'unsupported'] as const;
/**
 * ready: there is something that the player can decode; preparing: the publisher was asked for it;
 * unsupported: there is nothing, and no rendition could help.
 */
export type Service = (typeof SERVICES)[number];

/** A rendition that the relay wants of a publisher. */
export interface Rendition {
  track: number;
  codec: CodecKind;
  /** Players that watch it, or would. */
  players: number;
}

/** A track that the relay wants of a publisher, beside what that chose. */
export interface WantedTrack {
  track: number;
  kind: MediaKind;
  codec: CodecKind;
  /** What it may take of a path, in kbit/s; null: as much as the publisher finds right. */
  maxKbps: number | null;
  /** Players that watch it, or would. */
  players: number;
}

/** What a player is served. */
export interface Serving {
  service: Service;
  /** The track that its frames are on. */
  track: number;
  /** The rendition's codec, or the one that the player cannot decode; null for the main track. */
  codec: CodecKind | null;
}

/** The main track: for players that can decode it, and those that have said nothing. */
export const DEFAULT_SERVING: Serving = { service: 'ready', track: MAIN_TRACK, codec: null };

const FAMILIES: ReadonlyMap<string, CodecKind> = new Map([
  ['av01', 'av1'],
  ['avc1', 'h264'],
  ['avc3', 'h264'],
  ['vp09', 'vp9'],
  ['vp8', 'vp8'],
]);

/** The family of a WebCodecs codec string; null for one that has no track of its own. */
export function codecKind(codec: string): CodecKind | null {
  return FAMILIES.get(codec.split('.')[0] ?? '') ?? null;
}

/** The track of the rendition in this codec that is as large as what the publisher chose. */
export function trackOf(codec: CodecKind): number {
  return 1 + RENDITION_CODECS.indexOf(codec);
}

/** The codec that goes with a track; null where that is what was chosen or asked for. */
export function codecOf(track: number): CodecKind | null {
  return RENDITION_CODECS[track - 1] ?? null;
}
