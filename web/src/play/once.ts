/** What was begun before anybody asked for it. */

import { fetchEndpoint, type Health, probe, type RelayEndpoint } from '../session/endpoint.ts';
import type { ReconnectDeps } from '../session/reconnect.ts';
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

/** How a relay is asked for its health and its endpoint. */
export type EndpointDeps = Pick<ReconnectDeps, 'probe' | 'fetchEndpoint'>;

/** For a first attempt at a relay of which this is known already; all others ask. */
export function knownOnce(
  endpoint: RelayEndpoint,
  asks: EndpointDeps = { probe, fetchEndpoint },
): EndpointDeps {
  let known: RelayEndpoint | null = endpoint;
  return {
    probe: async (origin, signal) => (known === null ? asks.probe(origin, signal) : 'ok'),
    fetchEndpoint: async (origin, signal) => {
      const told = known ?? (await asks.fetchEndpoint(origin, signal));
      known = null;
      return told;
    },
  };
}

/** A relay's health and endpoint, asked for at once. What is not used in ten seconds is given up. */
export class EndpointOnce {
  /** As told; rejects with SessionError. */
  readonly told: Promise<RelayEndpoint>;
  /** For a session's first attempt, which goes on from here; all others ask anew. */
  readonly deps: EndpointDeps;

  constructor(origin: string, asks: EndpointDeps = { probe, fetchEndpoint }) {
    const { signal } = new AbortController();
    this.told = asks.fetchEndpoint(origin, signal);
    const endpoint = new Once<RelayEndpoint>(this.told);
    const health = new Once<Health>(asks.probe(origin, signal));
    this.deps = {
      probe: (relay, aborts) => health.take(aborts) ?? asks.probe(relay, aborts),
      fetchEndpoint: (relay, aborts) => endpoint.take(aborts) ?? asks.fetchEndpoint(relay, aborts),
    };
    setTimeout(() => {
      health.take(signal)?.catch(() => undefined);
      endpoint.take(signal)?.catch(() => undefined);
    }, USED_WITHIN_MS);
  }
}
