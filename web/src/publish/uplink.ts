/** Encoded pictures onto the group streams of one session (PROTOCOL 4). */

import {
  COLOUR_SINCE,
  type DecoderConfig,
  encodeHead,
  type FrameHeader,
  groupPreamble,
  PAYLOAD_MAX,
  type PictureInside,
  SEALED_PICTURE_OVERHEAD,
  type Sealer,
  WireError,
} from '@steadycast/codec-glue';
import { Following } from '../privacy/following.ts';
import type { Sealing } from '../privacy/sealing.ts';
import { RelayStamps } from './capture-clock.ts';
import type { EncodedPicture } from './encoder.ts';
import { Groups } from './groups.ts';

/** The part of a session that frames need. */
export interface FrameCarrier {
  readonly clock: { readonly offsetUs: number; readonly rttUs: number };
  readonly welcome: { readonly version: number };
  openGroup(): Promise<WritableStreamDefaultWriter<Uint8Array>>;
}

export interface SentFrame {
  bytes: number;
  keyframe: boolean;
  refinement: boolean;
  group: number;
}

export interface UplinkOptions {
  carrier: FrameCarrier;
  epoch: number;
  track: number;
  /** What frames are sealed with; null: the broadcast is not private. */
  sealing: Sealing | null;
  /** So many bytes are the stream's from now on, and will come unless the session ends. */
  onGiven: (bytes: number) => void;
  /** A frame has left, as far as the stream took it. */
  onSent: (frame: SentFrame) => void;
  /** A stream failed: nothing goes until the next keyframe. */
  onKeyframeNeeded: () => void;
}

interface Outgoing extends SentFrame {
  /** Known once the frame is sealed. */
  pieces: Uint8Array[] | Promise<Uint8Array[]>;
}

export class Uplink {
  readonly #options: UplinkOptions;
  readonly #groups = new Groups();
  readonly #stamps: RelayStamps;
  readonly #following = new Following();
  /** What the open group is sealed with, all of it. */
  #sealer: Sealer | null = null;
  readonly #queue: Outgoing[] = [];
  #writer: WritableStreamDefaultWriter<Uint8Array> | null = null;
  #pumping = false;
  /** The open group ends with the frame that is being written. */
  #resting = false;
  /** After a failed stream the rest of its group is of no use. */
  #broken = true;
  #closed = false;

  constructor(options: UplinkOptions) {
    this.#options = options;
    this.#stamps = new RelayStamps(options.carrier.clock.offsetUs);
  }

  /** Frames that wait for the stream: above 1 the network takes less than is made. */
  get backlog(): number {
    return this.#queue.length;
  }

  /** Whether the next picture should be a keyframe. */
  get groupFull(): boolean {
    return this.#groups.full;
  }

  /** Whether a keyframe would be worth its price at a moment when nothing moves. */
  get groupLong(): boolean {
    return this.#groups.long;
  }

  /** Whether the open group can go on for some time: it began, and nothing of it is lost. */
  get groupOpen(): boolean {
    return !this.#broken && this.#groups.newest > 0 && !this.#groups.spent;
  }

  /** Whether the next frame has to be a keyframe. */
  get groupSpent(): boolean {
    return this.#groups.spent;
  }

  get group(): number {
    return this.#groups.newest;
  }

  /**
   * Takes a picture; false when it is of no use here. Throws WireError when it breaks a limit of the
   * wire; the rest of its group is then dropped.
   */
  send(picture: EncodedPicture): boolean {
    if (this.#closed) return false;
    if (picture.keyframe) {
      this.#broken = false;
      this.#resting = false;
    }
    if (this.#broken) return false;
    const place = this.#groups.place(picture.keyframe, picture.payload.length);
    if (place === null) return false;
    this.#broken = true;
    this.#queue.push(this.#outgoing(picture, place));
    this.#broken = false;
    void this.#pump();
    return true;
  }

  /** Nobody wants the track: drops what waits and ends the open group; a keyframe begins again. */
  rest(): void {
    this.#broken = true;
    this.#resting = this.#pumping;
    // The frame that is being written is written to its end.
    this.#queue.splice(this.#pumping ? 1 : 0);
    if (!this.#pumping) this.#finish();
  }

  /**
   * Takes back what it has been given: what waits goes nowhere. Gives the number of the group that follows.
   * What a stream has already is not cut off, for it counts as on its way until it has come.
   */
  takeBack(): number {
    this.rest();
    return this.#groups.newest + 1;
  }

  /** Drops what waits; the streams end with their session. */
  close(): void {
    this.#closed = true;
    this.#queue.length = 0;
    this.#writer = null;
  }

  #outgoing(picture: EncodedPicture, place: { group: number; index: number }): Outgoing {
    const { keyframe, refinement, layer, config, payload } = picture;
    const captureUs = this.#stamps.stamp(picture.capturedUs, this.#options.carrier.clock.offsetUs);
    const { sealing } = this.#options;
    const header = {
      keyframe,
      refinement,
      sealed: sealing !== null,
      track: this.#options.track,
      layer,
      epoch: this.#options.epoch,
      ...place,
      captureUs,
      config: this.#spoken(config),
    };
    const facts = { keyframe, refinement, group: place.group };
    if (sealing === null) {
      const pieces = piecesOf(header, payload);
      return { ...facts, pieces, bytes: frameBytes(pieces, keyframe) };
    }
    const distance = this.#following.distance(place.index, layer);
    if (keyframe) this.#sealer = sealing.newest;
    const inside = { capturedUs: sealing.time.of(picture.capturedUs), distance };
    const outgoing = { ...facts, pieces: this.#sealed(header, inside, payload), bytes: 0 };
    // Whoever writes the frame hears of a failure.
    outgoing.pieces.then(
      (pieces) => {
        outgoing.bytes = frameBytes(pieces, keyframe);
      },
      () => undefined,
    );
    return outgoing;
  }

  /** Begun at once; frames are written in their order all the same. */
  #sealed(header: FrameHeader, inside: PictureInside, chunk: Uint8Array): Promise<Uint8Array[]> {
    if (chunk.length > PAYLOAD_MAX - SEALED_PICTURE_OVERHEAD) {
      throw new WireError('too_large', `a picture of ${chunk.length} bytes`);
    }
    const sealing = this.#sealer?.pieces(header, inside, chunk);
    if (sealing === undefined) throw new WireError('out_of_order', 'a group without its keyframe');
    return sealing.then((payload) => piecesOf(header, ...payload));
  }

  /** What the session's version can say of a config. */
  #spoken(config: DecoderConfig | null): DecoderConfig | null {
    const { version } = this.#options.carrier.welcome;
    return config === null || version >= COLOUR_SINCE ? config : { ...config, colour: null };
  }

  /** One frame after another; `ready` is the network's back-pressure. */
  async #pump(): Promise<void> {
    if (this.#pumping) return;
    this.#pumping = true;
    for (let frame = this.#queue[0]; frame !== undefined; frame = this.#queue[0]) {
      try {
        await this.#write(frame);
      } catch {
        this.#fail();
        break;
      }
      this.#queue.shift();
      if (!this.#closed) this.#options.onSent(frame);
    }
    this.#pumping = false;
    if (this.#resting) this.#finish();
    this.#resting = false;
  }

  async #write(frame: Outgoing): Promise<void> {
    const pieces = Array.isArray(frame.pieces) ? frame.pieces : await frame.pieces;
    if (this.#closed) return;
    if (frame.keyframe) {
      this.#finish();
      const writer = await this.#options.carrier.openGroup();
      // A failure shows at the next `ready`.
      writer.closed.catch(() => undefined);
      this.#writer = writer;
    }
    const writer = this.#writer;
    if (writer === null) return;
    await writer.ready;
    const bytes = joined(pieces);
    this.#options.onGiven(bytes.length);
    writer.write(bytes).catch(() => undefined);
    // The stream takes one piece at a time: once it is ready again, this one is on its way.
    await writer.ready;
  }

  /** Ends the group's stream; waiting for it would hold up the next one. */
  #finish(): void {
    this.#writer?.close().catch(() => undefined);
    this.#writer = null;
  }

  #fail(): void {
    this.#queue.length = 0;
    this.#writer = null;
    this.#broken = true;
    if (!this.#closed) this.#options.onKeyframeNeeded();
  }
}

function piecesOf(header: FrameHeader, ...payload: Uint8Array[]): Uint8Array[] {
  const head = encodeHead(header, lengthOf(payload));
  return header.keyframe ? [groupPreamble(), head, ...payload] : [head, ...payload];
}

/** Without the group's own first byte. */
function frameBytes(pieces: readonly Uint8Array[], keyframe: boolean): number {
  return lengthOf(pieces) - (keyframe ? 1 : 0);
}

function lengthOf(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((sum, piece) => sum + piece.length, 0);
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(lengthOf(pieces));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}
