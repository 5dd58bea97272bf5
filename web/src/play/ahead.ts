/**
 * What a first session needs that does not depend on whose it is: the relay's endpoint, and a
 * connection to it. Begun before the page has drawn itself, and used once.
 */

import {
  fetchEndpoint as askForEndpoint,
  probe as askForHealth,
  type Health,
  type RelayEndpoint,
} from '../session/endpoint.ts';
import { type KeepConnectedOptions, keepConnected } from '../session/index.ts';
import { connectWebTransport, type Transport } from '../session/transport.ts';
import { Once, USED_WITHIN_MS } from './once.ts';

/** What tests replace. */
export interface AheadDeps {
  probe: (origin: string, signal: AbortSignal) => Promise<Health>;
  fetchEndpoint: (origin: string, signal: AbortSignal) => Promise<RelayEndpoint>;
  connect: (endpoint: RelayEndpoint, signal: AbortSignal) => Promise<Transport>;
}

const DEPS: AheadDeps = {
  probe: askForHealth,
  fetchEndpoint: askForEndpoint,
  connect: connectWebTransport,
};

export class Ahead {
  readonly #origin: string;
  readonly #deps: AheadDeps;
  readonly #health: Once<Health>;
  readonly #endpoint: Once<RelayEndpoint>;
  readonly #transport: Once<Transport>;

  /** Begins at once. What is not used in ten seconds is given up. */
  constructor(origin: string, deps: AheadDeps = DEPS) {
    this.#origin = origin;
    this.#deps = deps;
    const { signal } = new AbortController();
    const endpoint = deps.fetchEndpoint(origin, signal);
    this.#health = new Once(deps.probe(origin, signal));
    this.#endpoint = new Once(endpoint);
    this.#transport = new Once(endpoint.then((found) => deps.connect(found, signal)));
    setTimeout(() => this.#giveUp(), USED_WITHIN_MS);
  }

  /** As `keepConnected`; the first attempt goes on from here, if it is for the same relay. */
  keepConnected(options: KeepConnectedOptions): ReturnType<typeof keepConnected> {
    if (options.origin !== this.#origin) return keepConnected(options);
    const { probe, fetchEndpoint, connect } = this.#deps;
    return keepConnected({
      ...options,
      deps: {
        ...options.deps,
        probe: (origin, signal) => this.#health.take(signal) ?? probe(origin, signal),
        fetchEndpoint: (origin, signal) =>
          this.#endpoint.take(signal) ?? fetchEndpoint(origin, signal),
      },
      connect: (endpoint, signal) => this.#transport.take(signal) ?? connect(endpoint, signal),
    });
  }

  #giveUp(): void {
    const { signal } = new AbortController();
    this.#health.take(signal)?.catch(() => undefined);
    this.#endpoint.take(signal)?.catch(() => undefined);
    this.#transport
      .take(signal)
      ?.then((transport) => transport.close())
      .catch(() => undefined);
  }
}
