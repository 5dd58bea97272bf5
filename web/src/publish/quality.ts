/** What the admin asks of the picture. */

import { isRecord, oneOf, shape, within } from '../session/parse.ts';
import type { Limit } from './crop.ts';

export const RESOLUTIONS = ['source', '2160p', '1440p', '1080p', '720p', '480p'] as const;
export type Resolution = (typeof RESOLUTIONS)[number];

export const CODEC_CHOICES = ['auto', 'av1', 'h264', 'vp9', 'vp8'] as const;
export type CodecChoice = (typeof CODEC_CHOICES)[number];

/** What is kept longest where there is too little room: text that can be read, or movement. */
export const FAVOURS = ['sharp', 'smooth'] as const;
export type Favour = (typeof FAVOURS)[number];

/** A card, or the last picture. */
export const ON_ENDS = ['card', 'picture'] as const;
export type OnEnd = (typeof ON_ENDS)[number];

export interface Quality {
  /** The largest picture sent; larger sources are scaled down, smaller ones are sent as they are. */
  resolution: Resolution;
  /** Frames per second at most. */
  frameRate: number;
  /** Bits per second that the encoder aims at while the picture moves. */
  bitrate: number;
  codec: CodecChoice;
  /** Temporal layers: with more than one, a relay can thin frames out for a slow player. */
  layers: number;
  favour: Favour;
  /** What viewers see when the shared window is closed, or sharing is ended from the browser's own bar. */
  onEnd: OnEnd;
}

export const FRAME_RATE_MAX = 60;
export const BITRATE_MIN = 100_000;
export const BITRATE_MAX = 50_000_000;

export const DEFAULT_QUALITY: Quality = {
  resolution: '1080p',
  frameRate: 30,
  bitrate: 3_000_000,
  codec: 'auto',
  layers: 1,
  favour: 'sharp',
  onEnd: 'card',
};

const LIMITS: Record<Resolution, Limit | null> = {
  source: null,
  '2160p': { long: 3_840, short: 2_160 },
  '1440p': { long: 2_560, short: 1_440 },
  '1080p': { long: 1_920, short: 1_080 },
  '720p': { long: 1_280, short: 720 },
  '480p': { long: 854, short: 480 },
};

export function limitOf(quality: Quality): Limit | null {
  return LIMITS[quality.resolution];
}

/** Every field is there and within its bounds. */
export const isQuality = shape<Quality>({
  resolution: oneOf(RESOLUTIONS),
  frameRate: within(1, FRAME_RATE_MAX),
  bitrate: within(BITRATE_MIN, BITRATE_MAX),
  codec: oneOf(CODEC_CHOICES),
  layers: (value): value is number => value === 1 || value === 2 || value === 3,
  favour: oneOf(FAVOURS),
  onEnd: oneOf(ON_ENDS),
});

/** What was stored or said by a page that knew of less, with what that leaves open. */
export function completeQuality(value: unknown): unknown {
  const { favour, onEnd } = DEFAULT_QUALITY;
  return isRecord(value) ? { favour, onEnd, ...value } : value;
}

export function sameQuality(one: Quality, other: Quality): boolean {
  return (
    one.resolution === other.resolution &&
    one.frameRate === other.frameRate &&
    one.bitrate === other.bitrate &&
    one.codec === other.codec &&
    one.layers === other.layers &&
    one.favour === other.favour &&
    one.onEnd === other.onEnd
  );
}
