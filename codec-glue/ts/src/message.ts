/** What relay and clients say to each other (PROTOCOL 2.2, 2.3). */

import type { CodecKind, Rendition, Serving, WantedTrack } from './codec.ts';
import type { SoundFormat } from './sound.ts';

/** In the order of the wire's variants. */
export const ROLES = ['publisher', 'player'] as const;
export const PHASES = ['waiting', 'live', 'held', 'paused'] as const;

export type Role = (typeof ROLES)[number];
/**
 * waiting: nothing published yet; live: a publisher is heard; held: it is away; paused: it has taken
 * the picture back (PROTOCOL 2.5).
 */
export type Phase = (typeof PHASES)[number];

/** What the relay says of the broadcast. */
export interface Status {
  phase: Phase;
  /** When the phase began: relay clock, microseconds. */
  sinceUs: number;
  epoch: number;
  players: number;
}

export interface Hello {
  type: 'hello';
  /** The newest version that the client speaks. */
  version: number;
  role: Role;
  token: string;
  /** A name for the relay's log. */
  agent: string;
  /** The lineage to go on with, 16 bytes (PROTOCOL 3.3). */
  resume: Uint8Array | null;
}

export interface Ping {
  type: 'ping';
  sequence: number;
  /** The client's clock, microseconds. */
  sentUs: number;
}

export interface ClientGoodbye {
  type: 'goodbye';
  code: number;
  message: string;
}

/** A player could not decode this group. */
export interface GroupRequest {
  type: 'keyframeRequest';
  epoch: number;
  group: number;
}

/** Totals since the session began. */
export interface Report {
  type: 'report';
  received: number;
  decoded: number;
  shown: number;
  black: number;
  decoderErrors: number;
  /** Capture to display in microseconds; 0 when unknown. */
  latencyUs: number;
}

export interface Welcome {
  type: 'welcome';
  /** What this session speaks. */
  version: number;
  session: number;
  broadcast: string;
  /** The publisher's lineage; null for players. */
  resume: Uint8Array | null;
  heartbeatMs: number;
  /** The relay's clock, microseconds. */
  relayUs: number;
  status: Status;
}

export interface Pong {
  type: 'pong';
  sequence: number;
  sentUs: number;
  relayUs: number;
}

export interface StatusChange {
  type: 'status';
  status: Status;
}

/** The relay wants a new group on this track. */
export interface TrackRequest {
  type: 'keyframeRequest';
  track: number;
}

export interface RelayGoodbye {
  type: 'goodbye';
  code: number;
  message: string;
  /** When to reconnect by itself; null: not at all (PROTOCOL 2.8). */
  retryAfterMs: number | null;
}

/** What a player's decoder can do; said as soon as it is known, and again when that changes. */
export interface Decodes {
  type: 'decodes';
  codecs: CodecKind[];
}

/** A publisher cannot encode a rendition that the relay wants. */
export interface RenditionRefused {
  type: 'renditionRefused';
  track: number;
  /** For logs. */
  reason: string;
}

/** A group of one track. */
export interface TrackGroup {
  track: number;
  group: number;
}

/** A publisher takes its picture back: nobody may see it any more (PROTOCOL 2.14). */
export interface Pause {
  type: 'pause';
  /** Of each of its tracks the first group of the card, in order of their numbers. */
  from: TrackGroup[];
}

/** What a publisher sends is its picture again. */
export interface Continue {
  type: 'continue';
}

/** What a publisher sends sound as from now on; to players: what there is to hear (PROTOCOL 9.1, 9.2). */
export interface SoundChange {
  type: 'sound';
  /** null: there is none. */
  sound: SoundFormat | null;
}

/** Whether a player wants to hear what there is (PROTOCOL 9.2). */
export interface Listen {
  type: 'listen';
  /** Off until it is said. */
  on: boolean;
}

/** Who is to hear what a publisher sends (PROTOCOL 9.4). */
export interface Listeners {
  type: 'listeners';
  /** How many; while there are none it sends no sound. */
  players: number;
  /** How many earlier frames each of its datagrams is to repeat. */
  repeat: number;
}

/** The first message of a relay's session: it wants a broadcast (PROTOCOL 11.2). */
export interface Pull {
  type: 'pull';
  /** The newest version that the relay speaks. */
  version: number;
  broadcast: string;
  /** The relays that it will pass through from here on, the one that asks first; 16 bytes each. */
  relays: Uint8Array[];
}

/** What of a session is behind a relay (PROTOCOL 11.5). */
export interface Audience {
  type: 'audience';
  players: number;
  /** Those that are to hear what there is. */
  listeners: number;
}

/** The one rendition that a relay's session is to be served (PROTOCOL 11.6). */
export interface Needs {
  type: 'needs';
  codec: CodecKind;
  /** What it may take of a path, in kbit/s; null: as much as the publisher finds right. */
  maxKbps: number | null;
}

/** Who a relay is that wants a broadcast, and what is behind it (PROTOCOL 11.10). */
export interface Branch {
  type: 'branch';
  /** `HOST:PORT` at which other relays reach it; null: it serves none. */
  place: string | null;
  /** Its operator's word for where it is. */
  region: string | null;
  /** Places of relays that it was sent to in vain. */
  vain: string[];
  /** Relays that get the broadcast from it. */
  children: number;
  /** All that get it through it, those included. */
  relays: number;
  /** Links to the farthest of them. */
  links: number;
}

/** To relays: the broadcast is to be got from another one, which has it already (PROTOCOL 11.10). */
export interface Ask {
  type: 'ask';
  /** `HOST:PORT` of that one. */
  relay: string;
}

/** The relays that the broadcast passes through to the relay that is told (PROTOCOL 11.3). */
export interface Through {
  type: 'through';
  /** The one that the publisher is at first, the one that says so last; 16 bytes each. */
  relays: Uint8Array[];
}

/** To relays: the publisher has taken its picture back, as it said so (PROTOCOL 11.4). */
export interface PauseOfEpoch extends Pause {
  /** The publisher's. */
  epoch: number;
}

/** Every rendition that the relay wants of a publisher of a version before 3, and no other. */
export interface Renditions {
  type: 'renditions';
  /** In order of their tracks. */
  wanted: Rendition[];
}

/** Every track that the relay wants of the publisher beside the main one, and no other. */
export interface Tracks {
  type: 'tracks';
  /** In order of their numbers. */
  wanted: WantedTrack[];
}

/** What the player is served has changed. */
export interface ServingChange {
  type: 'serving';
  serving: Serving;
}

/** How wide the path to the player is; may be skipped. */
export interface PathChange {
  type: 'path';
  /** It carries less than the picture needs. */
  narrow: boolean;
  /** What it carries as the relay estimates, in kbit/s; null: not known. */
  carriesKbps: number | null;
}

/** How much of what a publisher sends has come; may be skipped. */
export interface Arrived {
  type: 'arrived';
  /** Bytes of group streams since the session began. */
  bytes: number;
  /** The relay's clock then, in microseconds. */
  relayUs: number;
}

/** Other relays that would take this session; may be skipped. */
export interface OtherRelays {
  type: 'relays';
  /** The URLs of their pages, in the order in which they are to be tried. */
  relays: string[];
}

/** The relay is about to go, and the session is to be opened at another one; may be skipped. */
export interface Move {
  type: 'move';
  /** How much longer it is there, in milliseconds. */
  withinMs: number;
}

export type ClientMessage =
  | Hello
  | Ping
  | ClientGoodbye
  | GroupRequest
  | Report
  | Decodes
  | RenditionRefused
  | Pause
  | Continue
  | SoundChange
  | Listen
  | Pull
  | Audience
  | Needs
  | Branch;
export type RelayMessage =
  | Welcome
  | Pong
  | StatusChange
  | TrackRequest
  | RelayGoodbye
  | Renditions
  | ServingChange
  | Tracks
  | SoundChange
  | Listeners
  | Through
  | PauseOfEpoch
  | Continue
  | Ask
  | PathChange
  | Arrived
  | OtherRelays
  | Move;
