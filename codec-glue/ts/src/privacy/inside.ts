/** What is in a sealed frame, where it belongs, and what is sealed with it (PROTOCOL 12.4, 12.5). */

import { colourBits } from '../colour.ts';
import { malformed } from '../error.ts';
import { encodeDecoderConfig, FLAGS, type FrameHeader } from '../frame.ts';
import { joined, SFRAME_OVERHEAD } from './sframe.ts';

/** The source of sound in a key id; those below are tracks. */
export const SOUND_SOURCE = 16;
/** Bytes of a tenure's name. */
export const TENURE_SIZE = 7;
/** Bytes before the chunk, and before the frame of sound. */
const PICTURE_INSIDE = 9;
const SOUND_INSIDE = 8;
/** Bytes by which a sealed frame is longer, at most. */
export const SEALED_PICTURE_OVERHEAD = SFRAME_OVERHEAD + PICTURE_INSIDE;
export const SEALED_SOUND_OVERHEAD = SFRAME_OVERHEAD + SOUND_INSIDE;

/** What a host says of a picture to those who open it alone. */
export interface PictureInside {
  /** When it was captured, in microseconds of Unix time by the host's own clock. */
  capturedUs: number;
  /** How many frames before this one the newest stands that it needs; 0 for a keyframe. */
  distance: number;
}

/** `tenure`: hex, as everywhere in this language. */
export function keyIdOf(tenure: string, source: number): bigint {
  return (BigInt(`0x${tenure}`) << 8n) | BigInt(source);
}

export function tenureOf(keyId: bigint): { tenure: string; source: number } {
  const tenure = (keyId >> 8n).toString(16).padStart(2 * TENURE_SIZE, '0');
  return { tenure, source: Number(keyId & 0xffn) };
}

export function pictureCounter({ group, index }: Pick<FrameHeader, 'group' | 'index'>): bigint {
  return (BigInt(group) << 32n) | BigInt(index);
}

/** What nobody can change on the way without the frame failing to open, besides its place. */
export function pictureMetadata(header: FrameHeader): Uint8Array {
  const { keyframe, refinement, sealed, layer, config } = header;
  const colour = colourBits(config?.colour ?? null);
  const flags =
    (keyframe ? FLAGS.keyframe : 0) |
    (refinement ? FLAGS.refinement : 0) |
    (sealed ? FLAGS.sealed : 0);
  const fixed = Uint8Array.of(flags | colour.flags, layer, colour.byte);
  return config === null ? fixed : joined(fixed, encodeDecoderConfig(config));
}

/** Throws WireError for a distance that leads out of the group. */
export function checkDistance(distance: number, index: number): void {
  if ((distance === 0) !== (index === 0) || distance > index || distance > 255) {
    throw malformed(`frame ${index} that follows the one ${distance} before it`);
  }
}

export function writePicture(
  { capturedUs, distance }: PictureInside,
  chunk: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(PICTURE_INSIDE + chunk.length);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(capturedUs));
  view.setUint8(8, distance);
  bytes.set(chunk, PICTURE_INSIDE);
  return bytes;
}

export function readPicture(bytes: Uint8Array): PictureInside & { chunk: Uint8Array } {
  if (bytes.length <= PICTURE_INSIDE) throw malformed('a picture without its time');
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const [capturedUs, distance] = [Number(view.getBigUint64(0)), view.getUint8(8)];
  return { capturedUs, distance, chunk: bytes.subarray(PICTURE_INSIDE) };
}

export function writeSound(capturedUs: number, frame: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(SOUND_INSIDE + frame.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(capturedUs));
  bytes.set(frame, SOUND_INSIDE);
  return bytes;
}

export function readSound(bytes: Uint8Array): { capturedUs: number; frame: Uint8Array } {
  if (bytes.length <= SOUND_INSIDE) throw malformed('a frame of sound without its time');
  const capturedUs = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0));
  return { capturedUs, frame: bytes.subarray(SOUND_INSIDE) };
}
