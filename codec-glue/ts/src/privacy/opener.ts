/** Opens what was sealed with a link's key, by any host in any session (PROTOCOL 12.6). */

import { TRACK_MAX } from '../codec.ts';
import { malformed, WireError } from '../error.ts';
import type { FrameHeader } from '../frame.ts';
import {
  checkDistance,
  type PictureInside,
  pictureMetadata,
  readPicture,
  readSound,
  SOUND_SOURCE,
  tenureOf,
} from './inside.ts';
import { Keys } from './keys.ts';
import type { LinkKey } from './link-key.ts';
import { decodeHeader, open } from './sframe.ts';

/** A picture, and where its host has put it, whatever numbers relays give it on the way. */
export interface OpenPicture extends PictureInside {
  tenure: string;
  track: number;
  group: number;
  index: number;
  chunk: Uint8Array;
}

export interface OpenSound {
  tenure: string;
  /** A tenure's frames count up by one. */
  sequence: number;
  /** Of its first sample, in microseconds of Unix time by the host's own clock. */
  capturedUs: number;
  frame: Uint8Array;
}

const LOW = 0xffff_ffffn;

/** The tenure that a sealed frame says it is of, whether it opens or not; null: it is no sealed frame. */
export function tenureIn(sealed: Uint8Array): string | null {
  try {
    return tenureOf(decodeHeader(sealed).keyId).tenure;
  } catch (error) {
    if (error instanceof WireError) return null;
    throw error;
  }
}

export class Opener {
  readonly #keys: Keys;

  constructor(key: LinkKey) {
    this.#keys = new Keys(key);
  }

  /** Throws WireError for what is no sealed picture, and Forged for what does not open. */
  async picture(header: FrameHeader, payload: Uint8Array): Promise<OpenPicture> {
    const { keyId, counter, length } = decodeHeader(payload);
    const { tenure, source } = tenureOf(keyId);
    if (source > TRACK_MAX) throw malformed('what is no picture in the place of one');
    const key = await this.#keys.of(keyId);
    const inside = await open(key, counter, pictureMetadata(header), bytesFrom(payload, length));
    const picture = readPicture(inside);
    const [group, index] = [Number(counter >> 32n), Number(counter & LOW)];
    checkDistance(picture.distance, index);
    if ((index === 0) !== header.keyframe) throw malformed('a keyframe within a group');
    return { ...picture, tenure, track: source, group, index };
  }

  /** Throws as `picture` does. */
  async sound(frame: Uint8Array): Promise<OpenSound> {
    const { keyId, counter, length } = decodeHeader(frame);
    const { tenure, source } = tenureOf(keyId);
    if (source !== SOUND_SOURCE) throw malformed('what is no sound in the place of it');
    const key = await this.#keys.of(keyId);
    const inside = await open(key, counter, new Uint8Array(0), bytesFrom(frame, length));
    if (counter > LOW) throw malformed('a frame of sound beyond the last');
    return { ...readSound(inside), tenure, sequence: Number(counter) };
  }
}

function bytesFrom(bytes: Uint8Array, at: number): Uint8Array<ArrayBuffer> {
  return bytes.subarray(at) as Uint8Array<ArrayBuffer>;
}
