/** One AES key for each key id, derived when it is used first. */

import { type LinkKey, linkKeyBytes } from './link-key.ts';
import { deriveKey, type SFrameKey } from './sframe.ts';

/** Whoever makes up tenures costs an opener time, and no memory. */
const KEYS_MAX = 64;

export class Keys {
  readonly #base: Promise<CryptoKey>;
  /** The one that was used last comes last. */
  readonly #known = new Map<bigint, Promise<SFrameKey>>();

  constructor(key: LinkKey) {
    const usages: KeyUsage[] = ['deriveKey', 'deriveBits'];
    this.#base = crypto.subtle.importKey('raw', linkKeyBytes(key), 'HKDF', false, usages);
  }

  of(keyId: bigint): Promise<SFrameKey> {
    const known = this.#known.get(keyId) ?? this.#base.then((base) => deriveKey(base, keyId));
    this.#known.delete(keyId);
    this.#known.set(keyId, known);
    const [oldest] = this.#known.keys();
    if (this.#known.size > KEYS_MAX && oldest !== undefined) this.#known.delete(oldest);
    return known;
  }
}
