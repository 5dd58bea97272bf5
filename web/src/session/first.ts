/** Of several ways to a relay, the first that is open. */

import type { RelayEndpoint } from './endpoint.ts';
import type { Connect, Transport } from './transport.ts';

/** How much earlier each begins than the next one. */
export const HEAD_START_MS = 500;

/** Connects by the first of these to open; each has a head start, and none after a failure. Rejects when all have. */
export function connectFirst(ways: readonly Connect[]): Connect {
  return (endpoint, signal) => new Attempts(ways, endpoint, signal).first;
}

class Attempts {
  readonly first: Promise<Transport>;
  readonly #waiting: Connect[];
  readonly #endpoint: RelayEndpoint;
  /** Ends those that another one was faster than. */
  readonly #losers = new AbortController();
  #underway = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #resolve: (transport: Transport) => void = () => undefined;
  #reject: (error: unknown) => void = () => undefined;

  constructor(ways: readonly Connect[], endpoint: RelayEndpoint, signal: AbortSignal) {
    this.#waiting = [...ways];
    this.#endpoint = endpoint;
    this.first = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    const give = () => this.#end(signal.reason);
    signal.addEventListener('abort', give);
    const done = () => signal.removeEventListener('abort', give);
    this.first.then(done, done);
    if (signal.aborted) give();
    else this.#next();
  }

  #next(): void {
    clearTimeout(this.#timer);
    const way = this.#waiting.shift();
    if (way === undefined) return;
    this.#underway += 1;
    this.#timer = setTimeout(() => this.#next(), HEAD_START_MS);
    way(this.#endpoint, this.#losers.signal).then(
      (transport) => this.#opened(transport),
      (error: unknown) => this.#failed(error),
    );
  }

  #opened(transport: Transport): void {
    if (this.#losers.signal.aborted) transport.close();
    this.#resolve(transport);
    this.#end(new DOMException('another way was open first', 'AbortError'));
  }

  #failed(error: unknown): void {
    this.#underway -= 1;
    if (this.#losers.signal.aborted) return;
    if (this.#waiting.length > 0) this.#next();
    else if (this.#underway === 0) this.#end(error);
  }

  /** Without effect on what is settled already. */
  #end(error: unknown): void {
    clearTimeout(this.#timer);
    this.#losers.abort(error);
    this.#reject(error);
  }
}
