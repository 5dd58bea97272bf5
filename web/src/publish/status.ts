/** What a capture host says of itself, to panels, to its own window and to support. */

import { CODEC_KINDS, type CodecKind, TRACK_MAX } from '@steadycast/codec-glue';
import { isCount, isFlag, isText, listOf, oneOf, orNull, shape } from '../session/parse.ts';
import { CARRIERS, type CarrierName } from '../session/transport.ts';
import type { Crop, Size } from './geometry.ts';
import { isCrop } from './parse.ts';
import { isQuality, type Quality } from './quality.ts';
import type { Motion } from './sharpen.ts';
import { isSoundFacts, type SoundFacts } from './sound/facts.ts';

/** What the document does about the screen. */
export type CapturePhase =
  | 'idle'
  | 'asking'
  | 'gesture'
  | 'cancelled'
  | 'capturing'
  | 'ended'
  | 'stopped'
  | 'failed';

/** What the worker does about the relay. */
export type LinkPhase = 'off' | 'connecting' | 'open' | 'lost' | 'refused' | 'unsupported';

export const HOST_STATES = [
  /** Nothing is shared and nothing was asked. */
  'idle',
  /** The browser's picker is open. */
  'asking',
  /** The browser wants a click in the host's own window first. */
  'needs-gesture',
  'cancelled',
  /** Captured, and seen by nobody until the admin goes live. */
  'standby',
  'connecting',
  'live',
  /** Viewers see a card in place of the picture. */
  'paused',
  'reconnecting',
  /** The shared window was closed, or sharing was ended from the browser's own bar. */
  'ended',
  /** Another window took the broadcast over. */
  'superseded',
  /** The relay refuses this host; `code` says why. */
  'refused',
  'stopped',
  'failed',
] as const;
export type HostState = (typeof HOST_STATES)[number];

export interface SourceFacts extends Size {
  /** monitor, window or browser; empty when the browser does not say. */
  surface: string;
  /** The source delivers no pictures at present, as a minimised window does. */
  muted: boolean;
}

/** The picture as it is sent. */
export interface PictureFacts extends Size {
  codec: string;
}

/** A version of the picture for viewers who cannot show the main one. */
export interface RenditionFacts {
  codec: CodecKind;
  /** What it may take of a path, for viewers on narrow ones; null: it is for another codec's sake. */
  maxKbps: number | null;
  /** Viewers that watch it; 0 for a moment after the last has gone. */
  players: number;
  bitsPerSecond: number;
  fps: number;
  /** Why this browser cannot send it; null: it does. */
  refused: string | null;
}

/** What holds the picture back from what the admin wishes for. */
export interface LimitFacts {
  /** Bits a second that the network carries at present; null: enough. */
  uplink: number | null;
  /** Pictures a second that this machine can encode; null: enough. */
  frameRate: number | null;
  /** Whether it encodes in another codec than the best one, because that takes less of it. */
  cheapCodec: boolean;
}

export const NO_LIMITS: LimitFacts = { uplink: null, frameRate: null, cheapCodec: false };

export interface HostRates {
  fpsIn: number;
  fpsEncoded: number;
  fpsSent: number;
  bitsPerSecond: number;
  /** Median; null before the first picture. */
  encodeMs: number | null;
  encoderQueue: number;
  uplinkBacklog: number;
}

/** Totals since the host began. */
export interface HostCounts {
  sessionsOpened: number;
  sessionsLost: number;
  /** Epochs that frames were sent in. */
  epochs: number;
  keyframeRequests: number;
  framesIn: number;
  framesUnchanged: number;
  /** Pictures that a newer one replaced before they were encoded, by what held them up. */
  skippedForRate: number;
  skippedForEncoder: number;
  skippedForUplink: number;
  framesEncoded: number;
  framesSent: number;
  refinementsSent: number;
  keyframesSent: number;
  bytesSent: number;
  /** Between two sent frames while the screen was shared. */
  largestGapMs: number;
  encoderErrors: number;
  /** Channel messages that did not parse, or were meant for another host. */
  ignoredMessages: number;
}

export interface HostStatus {
  state: HostState;
  /** When the state began: Unix milliseconds. */
  sinceMs: number;
  /** In words of the relay or the browser. */
  reason: string | null;
  /** The relay's code for it, a name of PROTOCOL 5. */
  code: string | null;
  /** The host runs inside the panel's page because the browser opened no window for it. */
  inside: boolean;
  /** The admin has taken the picture back. */
  paused: boolean;
  /** What is captured, or was asked for and has not come about, is for the admin alone. */
  standby: boolean;
  source: SourceFacts | null;
  crop: Crop | null;
  quality: Quality;
  picture: PictureFacts | null;
  renditions: RenditionFacts[];
  limits: LimitFacts;
  motion: Motion;
  sound: SoundFacts;
  /** What its session runs on; null: there is none. */
  carrier: CarrierName | null;
  players: number;
  epoch: number;
  group: number;
  rttMs: number | null;
  /** When the next attempt to connect follows: Unix milliseconds. */
  retryAtMs: number | null;
  rates: HostRates;
  counts: HostCounts;
}

/** A frame on its way when another publisher takes over belongs to an epoch that is over. */
const TAKEN_OVER: ReadonlySet<string | null> = new Set(['superseded', 'stale_epoch']);

/** What the admin keeps back of what is captured. */
export interface Withheld {
  /** Viewers see a card in its place. */
  paused: boolean;
  /** There is no session at all yet. */
  standby: boolean;
}

/** The one state that says most. */
export function deriveState(
  capture: CapturePhase,
  link: { phase: LinkPhase; code: string | null; everOpen: boolean },
  broken: boolean,
  withheld: Withheld = { paused: false, standby: false },
): HostState {
  if (capture === 'asking') return 'asking';
  if (capture === 'gesture') return 'needs-gesture';
  if (capture === 'cancelled') return 'cancelled';
  if (link.phase === 'refused') return TAKEN_OVER.has(link.code) ? 'superseded' : 'refused';
  if (broken || capture === 'failed' || link.phase === 'unsupported') return 'failed';
  if (capture !== 'capturing') return capture;
  if (withheld.standby) return 'standby';
  if (link.phase === 'open') return withheld.paused ? 'paused' : 'live';
  return link.everOpen ? 'reconnecting' : 'connecting';
}

/** Whether the screen is being captured. */
export function isSharing(state: HostState): boolean {
  return state === 'standby' || isGoingOut(state);
}

/** Whether viewers are to see what is captured, or a card in its place. */
export function isGoingOut(state: HostState): boolean {
  return ['connecting', 'live', 'paused', 'reconnecting'].includes(state);
}

export const NO_COUNTS: HostCounts = {
  sessionsOpened: 0,
  sessionsLost: 0,
  epochs: 0,
  keyframeRequests: 0,
  framesIn: 0,
  framesUnchanged: 0,
  skippedForRate: 0,
  skippedForEncoder: 0,
  skippedForUplink: 0,
  framesEncoded: 0,
  framesSent: 0,
  refinementsSent: 0,
  keyframesSent: 0,
  bytesSent: 0,
  largestGapMs: 0,
  encoderErrors: 0,
  ignoredMessages: 0,
};

export const isHostStatus = shape<HostStatus>({
  state: oneOf(HOST_STATES),
  sinceMs: isCount,
  reason: orNull(isText),
  code: orNull(isText),
  inside: isFlag,
  paused: isFlag,
  standby: isFlag,
  source: orNull(
    shape<SourceFacts>({ width: isCount, height: isCount, surface: isText, muted: isFlag }),
  ),
  crop: orNull(isCrop),
  quality: isQuality,
  picture: orNull(shape<PictureFacts>({ width: isCount, height: isCount, codec: isText })),
  renditions: listOf(
    shape<RenditionFacts>({
      codec: oneOf(CODEC_KINDS),
      maxKbps: orNull(isCount),
      players: isCount,
      bitsPerSecond: isCount,
      fps: isCount,
      refused: orNull(isText),
    }),
    2 * TRACK_MAX,
  ),
  limits: shape<LimitFacts>({
    uplink: orNull(isCount),
    frameRate: orNull(isCount),
    cheapCodec: isFlag,
  }),
  motion: oneOf(['moving', 'sharpening', 'still']),
  sound: isSoundFacts,
  carrier: orNull(oneOf(CARRIERS)),
  players: isCount,
  epoch: isCount,
  group: isCount,
  rttMs: orNull(isCount),
  retryAtMs: orNull(isCount),
  rates: shape<HostRates>({
    fpsIn: isCount,
    fpsEncoded: isCount,
    fpsSent: isCount,
    bitsPerSecond: isCount,
    encodeMs: orNull(isCount),
    encoderQueue: isCount,
    uplinkBacklog: isCount,
  }),
  counts: shape<HostCounts>(
    Object.fromEntries(Object.keys(NO_COUNTS).map((name) => [name, isCount])) as {
      [K in keyof HostCounts]: typeof isCount;
    },
  ),
});
