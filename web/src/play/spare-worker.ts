/** The player's worker, which may be started before anything else of the page is there. */

import { fetchEndpoint } from '../session/endpoint.ts';
import type { CarrierName } from '../session/transport.ts';
import type { ToWorker } from './messages.ts';
import type { TransportName } from './race.ts';

let spare: { worker: Worker; origin: string; carrier: CarrierName } | null = null;

/**
 * Starts a worker that connects to the relay. Where that is, the page asks while the worker is still on
 * its way: on a long one that saves a round trip.
 */
export function prepareWorker(origin: string, carrier: CarrierName): void {
  if (spare !== null) return;
  const worker = newWorker();
  worker.postMessage({ type: 'prepare', origin, carrier } satisfies ToWorker);
  spare = { worker, origin, carrier };
  fetchEndpoint(origin, new AbortController().signal)
    .catch(() => null)
    .then((endpoint) => worker.postMessage({ type: 'endpoint', endpoint } satisfies ToWorker));
}

/** The worker that was prepared for this relay and carrier, or a new one. */
export function takeWorker(origin: string, carrier: TransportName): Worker {
  const fits = spare?.origin === origin && spare.carrier === carrier;
  const prepared = fits ? (spare?.worker ?? null) : null;
  if (prepared !== null) spare = null;
  return prepared ?? newWorker();
}

function newWorker(): Worker {
  return new Worker(new URL('./worker.ts', import.meta.url), {
    type: 'module',
    name: 'steadycast-player',
  });
}
