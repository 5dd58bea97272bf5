/** Encoded sound onto the datagrams of one session (PROTOCOL 9). */

import {
  encodeSound,
  SEALED_SOUND_OVERHEAD,
  SOUND_DATAGRAM_MAX,
  SOUND_FRAME_MAX,
  SOUND_REPEATS_MAX,
  type SoundPacket,
} from '@steadycast/codec-glue';
import type { Sealing } from '../../privacy/sealing.ts';
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
  readonly #sealing: Sealing | null;
  /** Frames that are being sealed go in their order. */
  #sealed: Promise<void> = Promise.resolve();
  /** The frames just before the next one, the oldest first; none from before a silence. */
  #earlier: Uint8Array[] = [];
  #sequence = 0;
  #repeat = 0;
  #counts = { frames: 0, bytes: 0, left: 0 };

  /** `sealing`: what frames are sealed with; null: the broadcast is not private. */
  constructor(carrier: SoundCarrier, epoch: number, sealing: Sealing | null = null) {
    this.#sealing = sealing;
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

  /** Sends a frame, now or never: sealing is done in less than it takes to speak it. Gives its bytes, about. */
  send({ bytes, capturedUs, begins }: EncodedSound): number {
    const most = SOUND_FRAME_MAX - (this.#sealing === null ? 0 : SEALED_SOUND_OVERHEAD);
    if (bytes.length > most) {
      // No encoder that is asked for so little makes one of these. To whoever listens it is lost.
      this.#sequence += 1;
      this.#earlier = [];
      return 0;
    }
    const starts = begins || this.#sequence === 0;
    this.#sequence += 1;
    const captureUs = this.#stamps.stamp(capturedUs, this.#carrier.clock.offsetUs);
    const place = {
      begins: starts,
      sealed: this.#sealing !== null,
      epoch: this.#epoch,
      sequence: this.#sequence,
      captureUs: Math.max(0, captureUs),
    };
    if (this.#sealing === null) return this.#give(place, bytes);
    const { newest, time } = this.#sealing;
    const sealing = newest.sound(place.sequence, time.of(capturedUs), bytes);
    this.#sealed = this.#sealed
      .then(async () => void this.#give(place, await sealing))
      .catch(() => {
        this.#counts.left += 1;
        this.#earlier = [];
      });
    return HEADER + bytes.length + SEALED_SOUND_OVERHEAD;
  }

  #give(place: Omit<SoundPacket, 'repeats' | 'frame'>, frame: Uint8Array): number {
    if (place.begins) this.#earlier = [];
    const datagram = encodeSound({ ...place, repeats: this.#repeated(frame.length), frame });
    this.#earlier = [...this.#earlier, frame].slice(-SOUND_REPEATS_MAX);
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
