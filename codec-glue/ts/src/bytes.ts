/** bincode's `config::standard()`: little-endian varints, strings and options (PROTOCOL 2.1). */

import { malformed } from './error.ts';

const U16_MARK = 251;
const U32_MARK = 252;
const U64_MARK = 253;

const utf8 = new TextEncoder();
// A byte order mark is part of the string; invalid bytes are the sender's fault.
const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Bytes of a text on the wire. */
export function utf8Length(text: string): number {
  return utf8.encode(text).length;
}

function checkUnsigned(value: number, max: number): void {
  if (!Number.isInteger(value) || value < 0 || value > max) {
    throw malformed(`${value} is not an integer from 0 to ${max}`);
  }
}

/** Appends bincode values to a buffer that grows. */
export class BincodeWriter {
  #bytes = new Uint8Array(64);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  /** What was written so far; valid until the next write. */
  get written(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  u8(value: number): void {
    checkUnsigned(value, 0xff);
    this.#byte(value);
  }

  u16(value: number): void {
    checkUnsigned(value, 0xffff);
    this.#varint(value);
  }

  u32(value: number): void {
    checkUnsigned(value, 0xffff_ffff);
    this.#varint(value);
  }

  /** A 64-bit integer that a JavaScript number holds exactly. */
  u64(value: number): void {
    checkUnsigned(value, Number.MAX_SAFE_INTEGER);
    this.#varint(value);
  }

  string(value: string): void {
    const bytes = utf8.encode(value);
    this.u64(bytes.length);
    this.raw(bytes);
  }

  /** Bytes whose count the reader knows. */
  raw(bytes: Uint8Array): void {
    const at = this.#grow(bytes.length);
    this.#bytes.set(bytes, at);
  }

  bool(value: boolean): void {
    this.#byte(value ? 1 : 0);
  }

  option<T>(value: T | null, write: (value: T) => void): void {
    this.u8(value === null ? 0 : 1);
    if (value !== null) write(value);
  }

  #byte(value: number): void {
    // Growing replaces the view, so it comes first.
    const at = this.#grow(1);
    this.#view.setUint8(at, value);
  }

  #varint(value: number): void {
    if (value < U16_MARK) {
      this.#byte(value);
    } else if (value <= 0xffff) {
      const at = this.#grow(3);
      this.#view.setUint8(at, U16_MARK);
      this.#view.setUint16(at + 1, value, true);
    } else if (value <= 0xffff_ffff) {
      const at = this.#grow(5);
      this.#view.setUint8(at, U32_MARK);
      this.#view.setUint32(at + 1, value, true);
    } else {
      const at = this.#grow(9);
      this.#view.setUint8(at, U64_MARK);
      this.#view.setBigUint64(at + 1, BigInt(value), true);
    }
  }

  /** Makes room for `count` bytes and returns where they start. */
  #grow(count: number): number {
    const at = this.#length;
    this.#length += count;
    if (this.#length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length));
      larger.set(this.#bytes);
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    return at;
  }
}

/** Reads bincode values from one message; everything it throws is a WireError. */
export class BincodeReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  u8(): number {
    return this.#view.getUint8(this.#advance(1));
  }

  u16(): number {
    return this.#varint(U16_MARK);
  }

  u32(): number {
    return this.#varint(U32_MARK);
  }

  /** A 64-bit integer; above 2^53 it is malformed, because no number holds it exactly. */
  u64(): number {
    return this.#varint(U64_MARK);
  }

  string(): string {
    const length = this.u64();
    try {
      return strictUtf8.decode(this.#slice(length));
    } catch (error) {
      if (error instanceof TypeError) throw malformed('a string that is not UTF-8');
      throw error;
    }
  }

  /** A copy of the next `count` bytes. */
  raw(count: number): Uint8Array {
    return this.#slice(count).slice();
  }

  bool(): boolean {
    const byte = this.u8();
    if (byte > 1) throw malformed(`a truth of ${byte}`);
    return byte === 1;
  }

  option<T>(read: () => T): T | null {
    const tag = this.u8();
    if (tag > 1) throw malformed(`an option tagged ${tag}`);
    return tag === 0 ? null : read();
  }

  /** Called after the last field: bytes left over are malformed (PROTOCOL 2.1). */
  end(): void {
    const left = this.#bytes.length - this.#at;
    if (left > 0) throw malformed(`${left} bytes after the end of the message`);
  }

  #varint(widest: number): number {
    const mark = this.u8();
    if (mark < U16_MARK) return mark;
    if (mark > widest) throw malformed(`an integer marked ${mark}, wider than its field`);
    if (mark === U16_MARK) return this.#view.getUint16(this.#advance(2), true);
    if (mark === U32_MARK) return this.#view.getUint32(this.#advance(4), true);
    const wide = this.#view.getBigUint64(this.#advance(8), true);
    if (wide > BigInt(Number.MAX_SAFE_INTEGER)) throw malformed(`the integer ${wide} is too large`);
    return Number(wide);
  }

  #slice(count: number): Uint8Array {
    const at = this.#advance(count);
    return this.#bytes.subarray(at, at + count);
  }

  #advance(count: number): number {
    const at = this.#at;
    if (count > this.#bytes.length - at) throw malformed('the message ends early');
    this.#at += count;
    return at;
  }
}

/**
 * Bytes in the order they arrived, taken out in pieces of any size. A piece inside one chunk is a
 * view of it; a piece across chunks is copied once, so that the cost is linear in the bytes.
 */
export class ByteQueue {
  #chunks: Uint8Array[] = [];
  /** The first chunk that still has bytes, and how many of them are taken. */
  #head = 0;
  #taken = 0;
  #length = 0;

  /** Bytes that can be taken. */
  get length(): number {
    return this.#length;
  }

  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.#chunks.push(chunk);
    this.#length += chunk.length;
  }

  /** The next `count` bytes, or null while fewer are there. */
  take(count: number): Uint8Array | null {
    if (count > this.#length) return null;
    this.#length -= count;
    const first = this.#chunks[this.#head];
    if (first === undefined) return new Uint8Array(0);
    if (first.length - this.#taken >= count) {
      const piece = first.subarray(this.#taken, this.#taken + count);
      this.#consume(count, first);
      return piece;
    }
    return this.#gather(count);
  }

  #gather(count: number): Uint8Array {
    const whole = new Uint8Array(count);
    let filled = 0;
    while (filled < count) {
      const chunk = this.#chunks[this.#head];
      if (chunk === undefined) break;
      const part = chunk.subarray(this.#taken, this.#taken + count - filled);
      whole.set(part, filled);
      filled += part.length;
      this.#consume(part.length, chunk);
    }
    return whole;
  }

  #consume(count: number, chunk: Uint8Array): void {
    this.#taken += count;
    if (this.#taken < chunk.length) return;
    this.#taken = 0;
    this.#head += 1;
    // Dropped in bulk: shifting the array at every chunk would be quadratic.
    if (this.#head * 2 >= this.#chunks.length) {
      this.#chunks = this.#chunks.slice(this.#head);
      this.#head = 0;
    }
  }
}
