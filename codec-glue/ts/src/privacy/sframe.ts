/** SFrame (RFC 9605) in its cipher suite 4, `AES_128_GCM_SHA256_128`. */

import { malformed, type WireError } from '../error.ts';

/** What stands before a ciphertext (RFC 9605, 4.3). */
export interface SFrameHeader {
  /** KID: whose key this is. */
  keyId: bigint;
  /** CTR: which frame under that key. */
  counter: bigint;
}

/** What is derived from a base key for one key id (RFC 9605, 4.4.2). */
export interface SFrameKey {
  keyId: bigint;
  aead: CryptoKey;
  salt: Uint8Array<ArrayBuffer>;
}

/** Somebody has changed the frame, or sealed it with another key. */
export class Forged extends Error {
  constructor() {
    super('the frame does not open');
    this.name = 'Forged';
  }
}

const SUITE = 4;
const NONCE = 12;
const KEY_LABEL = 'SFrame 1.0 Secret key ';
const SALT_LABEL = 'SFrame 1.0 Secret salt ';
/** Numbers below stand in the config byte itself. */
const INLINE = 8;
/** Bytes by which a ciphertext is longer than what is in it, at most. */
export const SFRAME_OVERHEAD = 1 + 8 + 8 + 16;

export function encodeHeader({ keyId, counter }: SFrameHeader): Uint8Array<ArrayBuffer> {
  const [ids, counts] = [bytesOf(keyId), bytesOf(counter)];
  const config = (half(keyId, ids) << 4) | half(counter, counts);
  return Uint8Array.of(config, ...ids, ...counts);
}

/** The header, and how many bytes it has. Throws WireError; a frame has one form, the shortest. */
export function decodeHeader(bytes: Uint8Array): SFrameHeader & { length: number } {
  const config = bytes[0];
  if (config === undefined) throw short();
  const ids = lengthOf(config >> 4);
  const counts = lengthOf(config & 0xf);
  const length = 1 + ids + counts;
  if (bytes.length < length) throw short();
  const keyId = ids === 0 ? BigInt(config >> 4) : numberOf(bytes.subarray(1, 1 + ids));
  const counter = counts === 0 ? BigInt(config & 0xf) : numberOf(bytes.subarray(1 + ids, length));
  const shortest = encodeHeader({ keyId, counter });
  if (shortest.length !== length) throw malformed('a number that is longer than it has to be');
  return { keyId, counter, length };
}

/** `base` is the base key, imported for HKDF. */
export async function deriveKey(base: CryptoKey, keyId: bigint): Promise<SFrameKey> {
  const { subtle } = crypto;
  const aes = { name: 'AES-GCM', length: 128 };
  const [aead, salt] = await Promise.all([
    subtle.deriveKey(hkdf(KEY_LABEL, keyId), base, aes, false, ['encrypt', 'decrypt']),
    subtle.deriveBits(hkdf(SALT_LABEL, keyId), base, NONCE * 8),
  ]);
  return { keyId, aead, salt: new Uint8Array(salt) };
}

/** Header and ciphertext, which belong behind one another; never twice for one counter. */
export async function seal(
  key: SFrameKey,
  counter: bigint,
  metadata: Uint8Array,
  plaintext: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer>[]> {
  const header = encodeHeader({ keyId: key.keyId, counter });
  const sealed = await crypto.subtle.encrypt(params(key, counter, metadata), key.aead, plaintext);
  return [header, new Uint8Array(sealed)];
}

/** What is in `sealed`, which follows a header of this counter. Throws Forged. */
export async function open(
  key: SFrameKey,
  counter: bigint,
  metadata: Uint8Array,
  sealed: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer>> {
  try {
    const opened = await crypto.subtle.decrypt(params(key, counter, metadata), key.aead, sealed);
    return new Uint8Array(opened);
  } catch {
    throw new Forged();
  }
}

export function joined(...pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

function params(key: SFrameKey, counter: bigint, metadata: Uint8Array): AesGcmParams {
  const additionalData = joined(encodeHeader({ keyId: key.keyId, counter }), metadata);
  return { name: 'AES-GCM', iv: nonceOf(key.salt, counter), additionalData, tagLength: 128 };
}

function nonceOf(salt: Uint8Array, counter: bigint): Uint8Array<ArrayBuffer> {
  const nonce = new Uint8Array(salt);
  const view = new DataView(nonce.buffer);
  view.setBigUint64(NONCE - 8, view.getBigUint64(NONCE - 8) ^ counter);
  return nonce;
}

/** HKDF-Extract with an empty salt, and HKDF-Expand with the RFC's label. */
function hkdf(label: string, keyId: bigint): HkdfParams {
  const text = new TextEncoder().encode(label);
  const info = new Uint8Array(text.length + 10);
  info.set(text);
  const view = new DataView(info.buffer);
  view.setBigUint64(text.length, keyId);
  view.setUint16(text.length + 8, SUITE);
  return { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(0), info };
}

/** A number that does not fit into its half of the config byte. */
function bytesOf(number: bigint): Uint8Array {
  if (number < INLINE) return new Uint8Array(0);
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, number);
  return bytes.subarray(bytes.findIndex((byte) => byte !== 0));
}

function half(number: bigint, bytes: Uint8Array): number {
  return bytes.length === 0 ? Number(number) : INLINE | (bytes.length - 1);
}

function lengthOf(half: number): number {
  return half < INLINE ? 0 : (half & 7) + 1;
}

function numberOf(bytes: Uint8Array): bigint {
  return bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
}

function short(): WireError {
  return malformed('a sealed frame that ends within its header');
}
