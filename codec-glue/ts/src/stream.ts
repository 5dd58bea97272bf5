/** Cuts streams into what they carry: control messages (PROTOCOL 2.1), frames of a group (4.1, 4.6, 4.7). */

import { ByteQueue } from './bytes.ts';
import { decodeClientMessage, decodeRelayMessage } from './control.ts';
import { malformed, outOfOrder, tooLarge, WireError } from './error.ts';
import {
  decodeDecoderConfig,
  decodeFixedHeader,
  type FixedHeader,
  type Frame,
  type FrameHeader,
} from './frame.ts';
import {
  CONTROL_MESSAGE_MAX,
  FRAME_HEADER_SIZE,
  GROUP_BYTES_MAX,
  GROUP_FRAMES_MAX,
  GROUP_MARK,
} from './limits.ts';
import type { ClientMessage, RelayMessage } from './message.ts';

/**
 * Cuts a control stream into messages, whatever chunks it arrives in: `push` the bytes, then call
 * `next` until it returns null. What may be skipped and is not known is left out. A WireError is final and is thrown again by every later `next`.
 */
export class ControlParser<Message> {
  readonly #queue = new ByteQueue();
  /** Null for a message that is skipped. */
  readonly #decode: (body: Uint8Array) => Message | null;
  /** Size of the message whose length was read already. */
  #size: number | null = null;
  #failure: WireError | null = null;

  constructor(decode: (body: Uint8Array) => Message | null) {
    this.#decode = decode;
  }

  /** A parser for the relay's side of the stream. */
  static relay(): ControlParser<RelayMessage> {
    return new ControlParser(decodeRelayMessage);
  }

  /** A parser for the client's side of the stream. */
  static client(): ControlParser<ClientMessage> {
    return new ControlParser(decodeClientMessage);
  }

  push(chunk: Uint8Array): void {
    if (this.#failure === null) this.#queue.push(chunk);
  }

  next(): Message | null {
    if (this.#failure !== null) throw this.#failure;
    try {
      return this.#parse();
    } catch (error) {
      if (error instanceof WireError) this.#failure = error;
      throw error;
    }
  }

  /** Called at the end of the stream: a message cut short is malformed. */
  finish(): void {
    if (this.#failure !== null) throw this.#failure;
    if (this.#size !== null || this.#queue.length > 0) {
      throw malformed('the control stream ends inside a message');
    }
  }

  #parse(): Message | null {
    for (;;) {
      this.#size ??= this.#readSize();
      if (this.#size === null) return null;
      const body = this.#queue.take(this.#size);
      if (body === null) return null;
      this.#size = null;
      const message = this.#decode(body);
      if (message !== null) return message;
    }
  }

  #readSize(): number | null {
    const bytes = this.#queue.take(2);
    if (bytes === null) return null;
    const size = new DataView(bytes.buffer, bytes.byteOffset, 2).getUint16(0);
    if (size === 0) throw malformed('a control message of no bytes');
    if (size > CONTROL_MESSAGE_MAX) throw tooLarge(`a control message of ${size} bytes`);
    return size;
  }
}

/** The bytes that open a group's stream. */
export function groupPreamble(): Uint8Array {
  return Uint8Array.of(GROUP_MARK);
}

export interface GroupRules {
  /** The relay may have left out frames of higher layers (PROTOCOL 4.8): indexes rise with gaps. */
  thinned?: boolean;
}

/**
 * Cuts a group's stream into frames, whatever chunks it arrives in: `push` the bytes, then call
 * `next` until it returns null. A payload may be a view of the chunk it came in. A WireError is
 * final and is thrown again by every later `next`.
 */
export class GroupParser {
  readonly #queue = new ByteQueue();
  readonly #thinned: boolean;
  #opened = false;
  /** The frame whose fixed header was read already. */
  #pending: FixedHeader | null = null;
  #last: Omit<FrameHeader, 'config'> | null = null;
  #frames = 0;
  #bytes = 0;
  #failure: WireError | null = null;

  constructor({ thinned = false }: GroupRules = {}) {
    this.#thinned = thinned;
  }

  push(chunk: Uint8Array): void {
    if (this.#failure === null) this.#queue.push(chunk);
  }

  next(): Frame | null {
    if (this.#failure !== null) throw this.#failure;
    try {
      return this.#parse();
    } catch (error) {
      if (error instanceof WireError) this.#failure = error;
      throw error;
    }
  }

  /** Called at the end of the stream: a frame cut short, or no frame at all, is malformed. */
  finish(): void {
    if (this.#failure !== null) throw this.#failure;
    if (this.#last === null || this.#pending !== null || this.#queue.length > 0) {
      throw malformed('the stream ends inside a frame');
    }
  }

  #parse(): Frame | null {
    if (!this.#opened && !this.#open()) return null;
    this.#pending ??= this.#readHeader();
    if (this.#pending === null) return null;
    const { header, payloadLength, configLength, colour } = this.#pending;
    const body = this.#queue.take(configLength + payloadLength);
    if (body === null) return null;
    this.#pending = null;
    const config = header.keyframe
      ? decodeDecoderConfig(body.subarray(0, configLength), colour)
      : null;
    return { header: { ...header, config }, payload: body.subarray(configLength) };
  }

  #open(): boolean {
    const mark = this.#queue.take(1);
    if (mark === null) return false;
    if (mark[0] !== GROUP_MARK) throw malformed(`a stream that begins with ${mark[0]}`);
    this.#opened = true;
    return true;
  }

  #readHeader(): FixedHeader | null {
    const bytes = this.#queue.take(FRAME_HEADER_SIZE);
    if (bytes === null) return null;
    const fixed = decodeFixedHeader(bytes);
    this.#checkOrder(fixed.header);
    this.#frames += 1;
    this.#bytes += FRAME_HEADER_SIZE + fixed.configLength + fixed.payloadLength;
    if (this.#frames > GROUP_FRAMES_MAX) throw tooLarge(`a group of ${this.#frames} frames`);
    if (this.#bytes > GROUP_BYTES_MAX) throw tooLarge(`a group of ${this.#bytes} bytes`);
    this.#last = fixed.header;
    return fixed;
  }

  #checkOrder(header: Omit<FrameHeader, 'config'>): void {
    const last = this.#last;
    if (last === null) {
      if (!header.keyframe || header.index !== 0) {
        throw outOfOrder('a group that does not begin with its keyframe');
      }
      return;
    }
    const sameTrack = header.track === last.track;
    if (header.group !== last.group || header.epoch !== last.epoch || !sameTrack) {
      throw outOfOrder(`a frame of group ${header.group} in the stream of ${last.group}`);
    }
    const isNext = header.index === last.index + 1;
    const follows = isNext || (this.#thinned && header.index > last.index);
    if (!follows || header.keyframe) {
      throw outOfOrder(`frame ${header.index} after frame ${last.index}`);
    }
    if (header.captureUs < last.captureUs) throw outOfOrder('a capture time that falls');
  }
}
