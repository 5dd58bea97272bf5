/** What was begun before anybody asked for it. */

import { settled } from '../session/transport.ts';

/** What is not used by then is given up: as long as a handshake may take, and a little. */
export const USED_WITHIN_MS = 10_000;

/** Something promised, for whoever asks first. */
export class Once<T> {
  #promise: Promise<T> | null;

  constructor(promise: Promise<T>) {
    this.#promise = promise;
    // Whoever takes it hears of its failure; perhaps nobody does.
    promise.catch(() => undefined);
  }

  /** null: somebody was here before. */
  take(signal: AbortSignal): Promise<T> | null {
    const promise = this.#promise;
    this.#promise = null;
    return promise === null ? null : settled(promise, USED_WITHIN_MS, signal);
  }
}
