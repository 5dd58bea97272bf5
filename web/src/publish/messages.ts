/**
 * What panels and capture hosts say to each other, sealed (`sealed.ts`). All of them hear everything, so
 * each side parses what it hears and ignores what is not for it.
 */

import { type LinkKey, readLinkKey } from '@steadycast/codec-glue';
import { type Check, isCount, isFlag, isRecord, isText, orNull, shape } from '../session/parse.ts';
import type { Crop, Size } from './geometry.ts';
import { isCrop, isSize } from './parse.ts';
import { completeQuality, isQuality, type Quality } from './quality.ts';
import { isSoundChoice, type SoundChoice } from './sound/choice.ts';
import { areLevels, type Levels, NO_SOUND } from './sound/facts.ts';
import { type HostStatus, isHostStatus, NO_LIMITS } from './status.ts';

/** The verbs of a panel. `host` is the id of the host that is meant. */
export type PanelMessage =
  /** Share the screen, or share it again: panels that were opened before an upgrade say so. */
  | { type: 'start'; host: string }
  /** Show viewers what is captured so far for the admin alone. */
  | { type: 'live'; host: string }
  /** Give the place up to another window, which is about to ask for the screen. */
  | { type: 'leave'; host: string }
  /** Crops to this part of the source; null: all of it. */
  | { type: 'crop'; host: string; crop: Crop | null }
  | { type: 'quality'; host: string; quality: Quality }
  /** How loud each source is, and which microphone there is. */
  | { type: 'sound'; host: string; sound: SoundChoice }
  /** Take the picture back, or show it again. */
  | { type: 'pause'; host: string; paused: boolean }
  /** Seal what is sent with another key from now on: viewers' links are new. */
  | { type: 'key'; host: string; key: LinkKey }
  /** End it all: capture, encoder, session. */
  | { type: 'stop'; host: string }
  /** Say how things are, and go on doing so for a few seconds. null: whoever is there. */
  | { type: 'status'; host: string | null; preview: boolean };

export type HostMessage =
  /** A host is there and about to have more to say. */
  | { type: 'hello'; host: string; startedMs: number }
  | { type: 'status'; host: string; startedMs: number; status: HostStatus }
  /** How loud each source is at present, ten times a second. */
  | { type: 'levels'; host: string; levels: Levels }
  /** A small picture of the whole source, as a WebP file. */
  | { type: 'preview'; host: string; size: Size; source: Size; data: Uint8Array<ArrayBuffer> }
  /** The host's window is going away. */
  | { type: 'bye'; host: string };

type Side = 'panel' | 'host';

/** `other`: from one's own side, so not for this one; `bad`: not understood. */
export type Heard<T> = { kind: 'message'; message: T } | { kind: 'other' } | { kind: 'bad' };

const PREVIEW_BYTES_MAX = 4_000_000;

const panelShapes: { [T in PanelMessage['type']]: Check<Extract<PanelMessage, { type: T }>> } = {
  start: shape<Of<PanelMessage, 'start'>>({ type: is('start'), host: isText }),
  live: shape<Of<PanelMessage, 'live'>>({ type: is('live'), host: isText }),
  leave: shape<Of<PanelMessage, 'leave'>>({ type: is('leave'), host: isText }),
  crop: shape<Of<PanelMessage, 'crop'>>({ type: is('crop'), host: isText, crop: orNull(isCrop) }),
  quality: shape<Of<PanelMessage, 'quality'>>({
    type: is('quality'),
    host: isText,
    quality: isQuality,
  }),
  sound: shape<Of<PanelMessage, 'sound'>>({
    type: is('sound'),
    host: isText,
    sound: isSoundChoice,
  }),
  pause: shape<Of<PanelMessage, 'pause'>>({
    type: is('pause'),
    host: isText,
    paused: isFlag,
  }),
  key: shape<Of<PanelMessage, 'key'>>({ type: is('key'), host: isText, key: isLinkKey }),
  stop: shape<Of<PanelMessage, 'stop'>>({ type: is('stop'), host: isText }),
  status: shape<Of<PanelMessage, 'status'>>({
    type: is('status'),
    host: orNull(isText),
    preview: isFlag,
  }),
};

const hostShapes: { [T in HostMessage['type']]: Check<Extract<HostMessage, { type: T }>> } = {
  hello: shape<Of<HostMessage, 'hello'>>({ type: is('hello'), host: isText, startedMs: isCount }),
  status: shape<Of<HostMessage, 'status'>>({
    type: is('status'),
    host: isText,
    startedMs: isCount,
    status: isHostStatus,
  }),
  levels: shape<Of<HostMessage, 'levels'>>({
    type: is('levels'),
    host: isText,
    levels: areLevels,
  }),
  preview: shape<Of<HostMessage, 'preview'>>({
    type: is('preview'),
    host: isText,
    size: isSize,
    source: isSize,
    data: isPreviewData,
  }),
  bye: shape<Of<HostMessage, 'bye'>>({ type: is('bye'), host: isText }),
};

type Of<Message extends { type: string }, T extends Message['type']> = Extract<
  Message,
  { type: T }
>;

/** A message as it goes over the channel: marked with the side it comes from. */
export function fromPanel(message: PanelMessage): PanelMessage & { side: Side } {
  return { ...message, side: 'panel' };
}

export function fromHost(message: HostMessage): HostMessage & { side: Side } {
  return { ...message, side: 'host' };
}

export function parsePanelMessage(value: unknown): Heard<PanelMessage> {
  const whole =
    isRecord(value) && 'quality' in value
      ? { ...value, quality: completeQuality(value['quality']) }
      : value;
  return parse<PanelMessage>(whole, 'panel', panelShapes);
}

export function parseHostMessage(value: unknown): Heard<HostMessage> {
  return parse<HostMessage>(completed(value), 'host', hostShapes);
}

/** A host's window may have been opened before its relay was upgraded, and know of less. */
function completed(value: unknown): unknown {
  if (!isRecord(value) || !isRecord(value['status'])) return value;
  const { status } = value;
  const { renditions } = status;
  const known = Array.isArray(renditions)
    ? renditions.map((one) => (isRecord(one) ? { maxKbps: null, ...one } : one))
    : renditions;
  const quality = completeQuality(status['quality']);
  return {
    ...value,
    status: {
      limits: NO_LIMITS,
      sound: NO_SOUND,
      paused: false,
      standby: false,
      carrier: null,
      ...status,
      quality,
      renditions: known,
    },
  };
}

function parse<Message extends { type: string }>(
  value: unknown,
  from: Side,
  shapes: Record<string, Check<Message>>,
): Heard<Message> {
  if (!isRecord(value)) return { kind: 'bad' };
  const { side, type } = value;
  if (side !== from) return { kind: side === 'panel' || side === 'host' ? 'other' : 'bad' };
  if (typeof type !== 'string' || !Object.hasOwn(shapes, type)) return { kind: 'bad' };
  return shapes[type]?.(value) ? { kind: 'message', message: value } : { kind: 'bad' };
}

function is<const T extends string>(name: T): Check<T> {
  return (value): value is T => value === name;
}

function isLinkKey(value: unknown): value is LinkKey {
  return typeof value === 'string' && readLinkKey(value) !== null;
}

function isPreviewData(value: unknown): value is Uint8Array<ArrayBuffer> {
  return value instanceof Uint8Array && value.length > 0 && value.length <= PREVIEW_BYTES_MAX;
}
