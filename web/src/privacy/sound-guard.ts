/** Which frames of sound that open may be heard (PROTOCOL 12.6); pure. */

import type { OpenSound } from '@steadycast/codec-glue';
import type { Tenures } from './tenures.ts';

/** Frames that overtake one another, at most: a second of them. */
const REORDERED = 50;

export class SoundGuard {
  readonly #tenures: Tenures;
  #newest = { tenure: '', sequence: 0 };

  constructor(tenures: Tenures) {
    this.#tenures = tenures;
  }

  /** The number of its tenure; null: nothing of it is to be heard. */
  admit({ tenure, sequence, capturedUs }: OpenSound): number | null {
    const verdict = this.#tenures.admit(tenure, capturedUs);
    if (verdict.kind !== 'current') return null;
    const newest = this.#newest;
    if (newest.tenure === tenure && sequence + REORDERED < newest.sequence) return null;
    if (newest.tenure !== tenure || sequence > newest.sequence) this.#newest = { tenure, sequence };
    return verdict.number;
  }
}
