/** Sound: what it is, and its frames as they travel in datagrams (PROTOCOL 9). */

import { malformed, tooLarge } from './error.ts';
import { SOUND_DATAGRAM_MAX, SOUND_FRAME_MAX, SOUND_REPEATS_MAX } from './limits.ts';

/** What frames of sound are encoded with, in the order of the wire; Opus is at 48 kHz. */
export const SOUND_CODECS = ['opus'] as const;
export type SoundCodec = (typeof SOUND_CODECS)[number];

/** What a publisher sends sound as. */
export interface SoundFormat {
  codec: SoundCodec;
  /** 1 or 2. */
  channels: number;
}

/** One datagram: a frame, and some that were sent before it (PROTOCOL 9.3). */
export interface SoundPacket {
  /** Nothing before the frame is missing: it is the first, or follows a silence that was not sent. */
  begins: boolean;
  /** Its frames are sealed: only people with the link can open them (PROTOCOL 12). */
  sealed: boolean;
  epoch: number;
  /** The frame's number; an epoch's frames count up by one. */
  sequence: number;
  /** When the frame's first sample was captured: relay clock, microseconds. */
  captureUs: number;
  /** The frames before it, the oldest first; none where it begins. */
  repeats: Uint8Array[];
  frame: Uint8Array;
}

/** The first byte of a datagram with sound; all others are passed over (PROTOCOL 9.3). */
const SOUND = 1;
/** Bytes before the frames. */
const HEADER = 18;
/** How many earlier frames are repeated. */
const REPEATS = 0b0011;
const BEGINS = 0b0100;
const SEALED = 0b1000;

/** The packet as a datagram. Throws WireError when it breaks a limit. */
export function encodeSound(packet: SoundPacket): Uint8Array {
  check(packet);
  const repeated = packet.repeats.reduce((sum, frame) => sum + 2 + frame.length, 0);
  const bytes = new Uint8Array(HEADER + repeated + packet.frame.length);
  checkDatagram(bytes);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, SOUND);
  const flags = (packet.begins ? BEGINS : 0) | (packet.sealed ? SEALED : 0);
  view.setUint8(1, flags | packet.repeats.length);
  view.setUint32(2, packet.epoch);
  view.setUint32(6, packet.sequence);
  view.setBigUint64(10, BigInt(packet.captureUs));
  let at = HEADER;
  for (const frame of packet.repeats) {
    view.setUint16(at, frame.length);
    bytes.set(frame, at + 2);
    at += 2 + frame.length;
  }
  bytes.set(packet.frame, at);
  return bytes;
}

/**
 * Reads a datagram; null for one that is not sound. Its frames are views of the same bytes. Throws
 * WireError.
 */
export function decodeSound(bytes: Uint8Array): SoundPacket | null {
  if (bytes[0] !== SOUND) return null;
  if (bytes.length <= HEADER) throw malformed('a sound datagram that ends too early');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const flags = view.getUint8(1);
  if ((flags & ~(REPEATS | BEGINS | SEALED)) !== 0) throw malformed('flags of a sound datagram');
  const { repeats, end } = readRepeats(bytes, view, flags & REPEATS);
  const packet = {
    begins: (flags & BEGINS) !== 0,
    sealed: (flags & SEALED) !== 0,
    epoch: view.getUint32(2),
    sequence: view.getUint32(6),
    captureUs: Number(view.getBigUint64(10)),
    repeats,
    frame: bytes.subarray(end),
  };
  check(packet);
  checkDatagram(bytes);
  return packet;
}

function readRepeats(
  bytes: Uint8Array,
  view: DataView,
  count: number,
): { repeats: Uint8Array[]; end: number } {
  const repeats: Uint8Array[] = [];
  let at = HEADER;
  for (let left = count; left > 0; left -= 1) {
    if (at + 2 > bytes.length) throw malformed('a sound datagram that ends too early');
    const end = at + 2 + view.getUint16(at);
    if (end > bytes.length) throw malformed('a sound datagram that ends too early');
    repeats.push(bytes.subarray(at + 2, end));
    at = end;
  }
  return { repeats, end: at };
}

function check({ begins, epoch, sequence, captureUs, repeats, frame }: SoundPacket): void {
  if (epoch >>> 0 !== epoch || sequence >>> 0 !== sequence || !isTime(captureUs)) {
    throw malformed('numbers of a sound datagram');
  }
  if (repeats.length > SOUND_REPEATS_MAX || (begins && repeats.length > 0)) {
    throw malformed('repeats of a sound datagram');
  }
  for (const { length } of [...repeats, frame]) {
    if (length === 0) throw malformed('a sound frame of no bytes');
    if (length > SOUND_FRAME_MAX) throw tooLarge(`a sound frame of ${length} bytes`);
  }
}

function isTime(us: number): boolean {
  return Number.isSafeInteger(us) && us >= 0;
}

function checkDatagram({ length }: Uint8Array): void {
  if (length > SOUND_DATAGRAM_MAX) throw tooLarge(`a sound datagram of ${length} bytes`);
}

const LONGEST_US = 120_000;
const SILK_US = [10_000, 20_000, 40_000, 60_000] as const;
const HYBRID_US = [10_000, 20_000] as const;
const CELT_US = [2_500, 5_000, 10_000, 20_000] as const;

/** How long an Opus frame lasts, in microseconds (RFC 6716, 3.1 and 3.2); null for bytes that are none. */
export function opusDurationUs(frame: Uint8Array): number | null {
  const [toc, count] = frame;
  if (toc === undefined) return null;
  const config = toc >> 3;
  const each = oneFrameUs(config);
  const code = toc & 3;
  const frames = code === 0 ? 1 : code < 3 ? 2 : (count ?? 0) & 0x3f;
  const us = each * frames;
  return us > 0 && us <= LONGEST_US ? us : null;
}

function oneFrameUs(config: number): number {
  if (config < 12) return SILK_US[config & 3] ?? 0;
  if (config < 16) return HYBRID_US[config & 1] ?? 0;
  return CELT_US[config & 3] ?? 0;
}
