/**
 * What a first session needs that does not depend on whose it is: the relay's endpoint, and a
 * connection to it. Begun before the page has drawn itself, and used once.
 */

import { fetchEndpoint, probe, type RelayEndpoint } from '../session/endpoint.ts';
import { type KeepConnectedOptions, keepConnected } from '../session/index.ts';
import { connectWebTransport, type Transport } from '../session/transport.ts';
import { type EndpointDeps, EndpointOnce, Once, USED_WITHIN_MS } from './once.ts';

/** What tests replace. */
export interface AheadDeps extends EndpointDeps {
  /** What somebody else is asking the relay already; null: nothing came of it. */
  told: Promise<RelayEndpoint | null>;
  connect: (endpoint: RelayEndpoint, signal: AbortSignal) => Promise<Transport>;
}

const DEPS: AheadDeps = {
  told: Promise.resolve(null),
  probe,
  fetchEndpoint,
  connect: connectWebTransport,
};

export class Ahead {
  readonly #origin: string;
  readonly #connect: AheadDeps['connect'];
  readonly #relay: EndpointOnce;
  readonly #transport: Once<Transport>;

  /** Begins at once. What is not used in ten seconds is given up. */
  constructor(origin: string, given: Partial<AheadDeps> = {}) {
    const deps = { ...DEPS, ...given };
    this.#origin = origin;
    this.#connect = deps.connect;
    const { signal } = new AbortController();
    this.#relay = new EndpointOnce(origin, toldFirst(deps));
    this.#transport = new Once(this.#relay.told.then((found) => deps.connect(found, signal)));
    setTimeout(() => this.#giveUp(), USED_WITHIN_MS);
  }

  /** As `keepConnected`; the first attempt goes on from here, if it is for the same relay. */
  keepConnected(options: KeepConnectedOptions): ReturnType<typeof keepConnected> {
    if (options.origin !== this.#origin) return keepConnected(options);
    return keepConnected({
      ...options,
      deps: { ...options.deps, ...this.#relay.deps },
      connect: (endpoint, signal) =>
        this.#transport.take(signal) ?? this.#connect(endpoint, signal),
    });
  }

  #giveUp(): void {
    this.#transport
      .take(new AbortController().signal)
      ?.then((transport) => transport.close())
      .catch(() => undefined);
  }
}

/** The first answer is the one that somebody has asked for already. */
function toldFirst({ told, probe, fetchEndpoint }: AheadDeps): EndpointDeps {
  let first: typeof told | null = told;
  return {
    probe,
    fetchEndpoint: async (origin, signal) => {
      const known = await first;
      first = null;
      return known ?? fetchEndpoint(origin, signal);
    },
  };
}
