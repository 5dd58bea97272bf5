/** Seals what a host sends in one session (PROTOCOL 12.3). */

import type { FrameHeader } from '../frame.ts';
import {
  checkDistance,
  keyIdOf,
  type PictureInside,
  pictureCounter,
  pictureMetadata,
  SOUND_SOURCE,
  TENURE_SIZE,
  writePicture,
  writeSound,
} from './inside.ts';
import { Keys } from './keys.ts';
import type { LinkKey } from './link-key.ts';
import { joined, seal } from './sframe.ts';

export type { PictureInside } from './inside.ts';

/** A name that no other tenure has: with it each session's keys are its own. */
export function newTenure(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(TENURE_SIZE));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

export class Sealer {
  readonly #keys: Keys;
  readonly #tenure: string;

  /** For a session that no other sealer was for; `tenure` is random, and given by tests alone. */
  constructor(key: LinkKey, tenure = newTenure()) {
    this.#keys = new Keys(key);
    this.#tenure = tenure;
  }

  /**
   * The payload of a frame with this header; no two frames of a sealer have one track, group and
   * index. Throws WireError for a distance that leads out of the group.
   */
  async picture(
    header: FrameHeader,
    inside: PictureInside,
    chunk: Uint8Array,
  ): Promise<Uint8Array<ArrayBuffer>> {
    return joined(...(await this.pieces(header, inside, chunk)));
  }

  /** The same in pieces, for who puts them behind others: large pictures are copied no more often than they have to be. */
  async pieces(
    header: FrameHeader,
    inside: PictureInside,
    chunk: Uint8Array,
  ): Promise<Uint8Array<ArrayBuffer>[]> {
    checkDistance(inside.distance, header.index);
    const plaintext = writePicture(inside, chunk);
    const key = await this.#keys.of(keyIdOf(this.#tenure, header.track));
    return seal(key, pictureCounter(header), pictureMetadata(header), plaintext);
  }

  /** A frame of sound, as it travels in datagrams; no two frames of a sealer have one number. */
  async sound(
    sequence: number,
    capturedUs: number,
    frame: Uint8Array,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const plaintext = writeSound(capturedUs, frame);
    const key = await this.#keys.of(keyIdOf(this.#tenure, SOUND_SOURCE));
    return joined(...(await seal(key, BigInt(sequence), new Uint8Array(0), plaintext)));
  }
}
