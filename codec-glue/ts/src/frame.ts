/** One frame: header, decoder config on keyframes, payload (PROTOCOL 4.2-4.4). */

import { MAIN_TRACK, TRACK_MAX } from './codec.ts';
import { type Colour, colourBits, readColour, sameColour } from './colour.ts';
import { malformed, tooLarge } from './error.ts';
import {
  CODEC_MAX,
  CONFIG_MAX,
  CONFIG_MIN,
  FRAME_HEADER_SIZE,
  LAYER_MAX,
  PAYLOAD_MAX,
  PICTURE_SIDE_MAX,
} from './limits.ts';

/** What a WebCodecs decoder is configured with, and the picture's size in pixels. */
export interface DecoderConfig {
  width: number;
  height: number;
  /** The WebCodecs codec string. */
  codec: string;
  /** The WebCodecs description; empty when the codec has none. */
  description: Uint8Array;
  /** What the picture's samples mean; null: not said. Travels in the fixed header (PROTOCOL 4.2). */
  colour: Colour | null;
}

export interface FrameHeader {
  keyframe: boolean;
  /** The same source picture as before, encoded again at a better quality. */
  refinement: boolean;
  /** The payload is sealed: only people with the link can open it (PROTOCOL 12). */
  sealed: boolean;
  track: number;
  /** Temporal layer; 0 is the base. */
  layer: number;
  epoch: number;
  group: number;
  index: number;
  /** Relay clock, microseconds. */
  captureUs: number;
  /** Present on every keyframe and on nothing else. */
  config: DecoderConfig | null;
}

export interface Frame {
  header: FrameHeader;
  /** One WebCodecs encoded chunk. */
  payload: Uint8Array;
}

/** The two pieces of a frame on its stream, in order. */
export interface EncodedFrame {
  /** Fixed header and config. */
  head: Uint8Array;
  /** The payload as it was given, not copied. */
  payload: Uint8Array;
}

/** A header whose config has yet to arrive, with the sizes of what follows it. */
export interface FixedHeader {
  header: Omit<FrameHeader, 'config'>;
  payloadLength: number;
  configLength: number;
  /** Of the config that follows. */
  colour: Colour | null;
}

export const FLAGS = { keyframe: 1, refinement: 2, sealed: 4 } as const;
/** A flag of later versions without which a frame cannot be understood (PROTOCOL 2.12). */
const UNKNOWN = 0b1000;

const ascii = new TextDecoder('latin1');

/** The frame's bytes. Throws WireError when the header or payload breaks a limit. */
export function encodeFrame(header: FrameHeader, payload: Uint8Array): EncodedFrame {
  return { head: encodeHead(header, payload.length), payload };
}

/** What stands before a payload of this length. Throws WireError. */
export function encodeHead(header: FrameHeader, payloadLength: number): Uint8Array {
  if (header.keyframe !== (header.config !== null)) {
    throw malformed('a decoder config belongs to keyframes, and to each of them');
  }
  const config = header.config === null ? new Uint8Array(0) : encodeDecoderConfig(header.config);
  const head = new Uint8Array(FRAME_HEADER_SIZE + config.length);
  writeFixedHeader(new DataView(head.buffer), {
    header,
    payloadLength,
    configLength: config.length,
    colour: header.config?.colour ?? null,
  });
  head.set(config, FRAME_HEADER_SIZE);
  return head;
}

function writeFixedHeader(view: DataView, fixed: FixedHeader): void {
  const { header, payloadLength, configLength } = fixed;
  checkFixedHeader(fixed);
  const colour = colourBits(fixed.colour);
  const flags =
    (header.keyframe ? FLAGS.keyframe : 0) |
    (header.refinement ? FLAGS.refinement : 0) |
    (header.sealed ? FLAGS.sealed : 0);
  view.setUint8(0, flags | colour.flags);
  view.setUint8(1, header.track);
  view.setUint8(2, header.layer);
  view.setUint8(3, colour.byte);
  view.setUint32(4, header.epoch);
  view.setUint32(8, header.group);
  view.setUint32(12, header.index);
  view.setBigUint64(16, BigInt(header.captureUs));
  view.setUint32(24, payloadLength);
  view.setUint16(28, configLength);
}

/**
 * Reads the 30 bytes of a fixed header; a colour that is not known, and what else is left to later
 * versions, is read over (PROTOCOL 2.12). Throws WireError.
 */
export function decodeFixedHeader(bytes: Uint8Array): FixedHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, FRAME_HEADER_SIZE);
  const flags = view.getUint8(0);
  if ((flags & UNKNOWN) !== 0) throw malformed(`frame flags ${flags}`);
  const captureUs = view.getBigUint64(16);
  if (captureUs > BigInt(Number.MAX_SAFE_INTEGER)) throw malformed(`capture time ${captureUs}`);
  const header = {
    keyframe: (flags & FLAGS.keyframe) !== 0,
    refinement: (flags & FLAGS.refinement) !== 0,
    sealed: (flags & FLAGS.sealed) !== 0,
    track: view.getUint8(1),
    layer: view.getUint8(2),
    epoch: view.getUint32(4),
    group: view.getUint32(8),
    index: view.getUint32(12),
    captureUs: Number(captureUs),
  };
  const fixed = {
    header,
    payloadLength: view.getUint32(24),
    configLength: view.getUint16(28),
    colour: header.keyframe ? readColour(flags, view.getUint8(3)) : null,
  };
  checkFixedHeader(fixed);
  return fixed;
}

export function encodeDecoderConfig(config: DecoderConfig): Uint8Array {
  checkPicture(config);
  const size = 7 + config.codec.length + config.description.length;
  if (size > CONFIG_MAX) throw tooLarge(`a decoder config of ${size} bytes`);
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, config.width);
  view.setUint16(2, config.height);
  view.setUint8(4, config.codec.length);
  for (let at = 0; at < config.codec.length; at += 1) {
    view.setUint8(5 + at, config.codec.charCodeAt(at));
  }
  view.setUint16(5 + config.codec.length, config.description.length);
  bytes.set(config.description, 7 + config.codec.length);
  return bytes;
}

/**
 * The config with the colour that its frame's header says. Throws WireError; the description is a
 * copy, because a decoder keeps it.
 */
export function decodeDecoderConfig(bytes: Uint8Array, colour: Colour | null): DecoderConfig {
  if (bytes.length < CONFIG_MIN) throw malformed('a decoder config cut short');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const codecEnd = 5 + view.getUint8(4);
  if (codecEnd + 2 > bytes.length) throw malformed('a decoder config cut short');
  if (codecEnd + 2 + view.getUint16(codecEnd) !== bytes.length) {
    throw malformed('a description that does not fill its decoder config');
  }
  const config = {
    width: view.getUint16(0),
    height: view.getUint16(2),
    codec: ascii.decode(bytes.subarray(5, codecEnd)),
    description: bytes.slice(codecEnd + 2),
    colour,
  };
  checkPicture(config);
  return config;
}

/** Whether a decoder for one serves the other as well. */
export function sameDecoderConfig(one: DecoderConfig, other: DecoderConfig): boolean {
  return (
    one.codec === other.codec &&
    one.width === other.width &&
    one.height === other.height &&
    sameColour(one.colour, other.colour) &&
    one.description.length === other.description.length &&
    one.description.every((byte, at) => byte === other.description[at])
  );
}

function checkFixedHeader({ header, payloadLength, configLength }: FixedHeader): void {
  checkRange('track', header.track, MAIN_TRACK, TRACK_MAX);
  checkRange('layer', header.layer, 0, LAYER_MAX);
  for (const name of ['epoch', 'group', 'index'] as const) {
    checkRange(name, header[name], 0, 0xffff_ffff);
  }
  checkRange('capture time', header.captureUs, 0, Number.MAX_SAFE_INTEGER);
  if (payloadLength === 0) throw malformed('a frame without payload');
  if (payloadLength > PAYLOAD_MAX) throw tooLarge(`a payload of ${payloadLength} bytes`);
  if (configLength > CONFIG_MAX) throw tooLarge(`a decoder config of ${configLength} bytes`);
  if (header.keyframe ? configLength < CONFIG_MIN : configLength !== 0) {
    throw malformed(`a decoder config of ${configLength} bytes on this frame`);
  }
}

function checkPicture(config: DecoderConfig): void {
  const { width, height, codec } = config;
  if (width === 0 || height === 0) throw malformed('a picture without size');
  if (width > PICTURE_SIDE_MAX || height > PICTURE_SIDE_MAX) {
    throw tooLarge(`a picture of ${width} x ${height}`);
  }
  if (codec.length > CODEC_MAX || !/^[\x20-\x7e]+$/.test(codec)) {
    throw malformed('a codec string that is not 1 to 255 printable ASCII characters');
  }
}

function checkRange(name: string, value: number, min: number, max: number): void {
  if (!Number.isInteger(value) || value < min || value > max) {
    throw malformed(`${name} ${value}, not ${min} to ${max}`);
  }
}
