/** What a host's session seals its frames with: one tenure from its beginning, or from another key on. */

import { type LinkKey, Sealer } from '@steadycast/codec-glue';
import { HostTime } from './host-time.ts';

export class Sealing {
  readonly time = new HostTime();
  #sealer: Sealer;

  constructor(key: LinkKey) {
    this.#sealer = new Sealer(key);
  }

  /** Another key: tracks go over to it with their next keyframe. */
  change(key: LinkKey): void {
    this.#sealer = new Sealer(key);
  }

  /** What seals a group that begins now, and all of it. */
  get newest(): Sealer {
    return this.#sealer;
  }
}
