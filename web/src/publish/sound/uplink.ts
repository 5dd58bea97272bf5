/** Encoded sound onto the datagrams of one session (PROTOCOL 9). */

import {
  encodeSound,
  SOUND_DATAGRAM_MAX,
  SOUND_FRAME_MAX,
  SOUND_REPEATS_MAX,
} from '@steadycast/codec-glue';
import { RelayStamps } from '../capture-clock.ts';
import type { EncodedSound } from './encoder.ts';

/** The part of a session that sound needs. */
export interface SoundCarrier {
  readonly clock: { readonly offsetUs: number };
  /** False: this or an earlier one is not sent. */
  sendDatagram(bytes: Uint8Array): boolean;
}

/** What a datagram has besides frames. */
const HEADER = 18;
const LENGTH = 2;

export class SoundUplink {
  readonly #carrier: SoundCarrier;
  readonly #epoch: number;
  readonly #stamps: RelayStamps;
  /** The frames just before the next one, the oldest first; none from before a silence. */
  #earlier: Uint8Array[] = [];
  #sequence = 0;
  #repeat = 0;
  #counts = { frames: 0, bytes: 0, left: 0 };

  constructor(carrier: SoundCarrier, epoch: number) {
    this.#carrier = carrier;
    this.#epoch = epoch;
    this.#stamps = new RelayStamps(carrier.clock.offsetUs);
  }

  /** How many earlier frames go with each. */
  set repeat(count: number) {
    this.#repeat = Math.min(SOUND_REPEATS_MAX, count);
  }

  /** Frames that were sent, bytes of their datagrams, and datagrams that were left for want of room. */
  get counts(): Readonly<{ frames: number; bytes: number; left: number }> {
    return this.#counts;
  }

  /** Sends a frame, now or never. */
  send({ bytes, capturedUs, begins }: EncodedSound): number {
    if (bytes.length > SOUND_FRAME_MAX) {
      // No encoder that is asked for so little makes one of these. To whoever listens it is lost.
      this.#sequence += 1;
      this.#earlier = [];
      return 0;
    }
    const starts = begins || this.#sequence === 0;
    if (starts) this.#earlier = [];
    this.#sequence += 1;
    const datagram = encodeSound({
      begins: starts,
      epoch: this.#epoch,
      sequence: this.#sequence,
      captureUs: Math.max(0, this.#stamps.stamp(capturedUs, this.#carrier.clock.offsetUs)),
      repeats: this.#repeated(bytes.length),
      frame: bytes,
    });
    this.#earlier = [...this.#earlier, bytes].slice(-SOUND_REPEATS_MAX);
    this.#counts.frames += 1;
    this.#counts.bytes += datagram.length;
    if (!this.#carrier.sendDatagram(datagram)) this.#counts.left += 1;
    return datagram.length;
  }

  /** As many of the frames before as were asked for, and as there is room for. */
  #repeated(length: number): Uint8Array[] {
    const repeats: Uint8Array[] = [];
    let room = SOUND_DATAGRAM_MAX - HEADER - length;
    for (const frame of this.#earlier.toReversed().slice(0, this.#repeat)) {
      room -= LENGTH + frame.length;
      if (room < 0) break;
      repeats.unshift(frame);
    }
    return repeats;
  }
}
