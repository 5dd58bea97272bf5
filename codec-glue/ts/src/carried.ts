/** Frames of the wire as they come out of RTP packets that pass for VP8 (PROTOCOL 12.10). */

import { malformed } from './error.ts';

export interface Carried {
  /** Whether it says that it needs no other. */
  keyframe: boolean;
  /** Counts, in 15 bits, what this receiver was sent. */
  number: number;
  /** Header, config and payload, as they would stand on a group's stream. */
  frame: Uint8Array<ArrayBuffer>;
}

/** Numbers begin again after so many. */
export const CARRIED_NUMBERS = 0x8000;

/** The bit of the first byte that VP8's keyframes do not have. */
const NEEDS_ANOTHER = 1;
/** What VP8 begins its frames with, and what it has in keyframes besides: a code and the picture's size. */
const TAG = 3;
const KEYFRAME = 7;
const NUMBER = 2;

/** Takes off what packets needed. Throws WireError for what no relay has carried. */
export function readCarried(bytes: Uint8Array<ArrayBuffer>): Carried {
  const keyframe = ((bytes[0] ?? NEEDS_ANOTHER) & NEEDS_ANOTHER) === 0;
  const at = keyframe ? TAG + KEYFRAME : TAG;
  if (bytes.length < at + NUMBER) throw malformed('a frame that ends before it begins');
  const number = new DataView(bytes.buffer, bytes.byteOffset + at).getUint16(0);
  if (number < CARRIED_NUMBERS) throw malformed('a frame without a number');
  return { keyframe, number: number - CARRIED_NUMBERS, frame: bytes.subarray(at + NUMBER) };
}
