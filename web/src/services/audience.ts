/**
 * What the relay says of a broadcast's viewers, once a second while somebody looks; of nobody else
 * it is asked.
 */

import { ApiError } from './api.ts';
import type { ViewersFacts } from './viewers.ts';

/** How late pictures were shown at a moment. */
export interface LatencySample {
  /** Unix milliseconds. */
  atMs: number;
  p50Ms: number;
  p95Ms: number;
}

export interface AudienceSnapshot {
  /** Null: the relay has not said so, or cannot. */
  facts: ViewersFacts | null;
  /** The last five minutes, oldest first. */
  latencies: readonly LatencySample[];
  /** The relay was asked and did not say: it does not know of this, or does not answer. */
  failed: boolean;
}

/** What components need of it. */
export interface AudienceSource {
  /** The relay is asked while anybody listens, and the page is in sight. */
  subscribe: (listener: () => void) => () => void;
  snapshot: () => AudienceSnapshot;
}

export const NO_AUDIENCE: AudienceSnapshot = Object.freeze({
  facts: null,
  latencies: [],
  failed: false,
});

const ASK_MS = 1_000;
export const LATENCIES_MS = 300_000;
/** What the relay said counts until it has failed to say more for so long. */
const STALE_MS = 5_000;

export class Audience implements AudienceSource {
  readonly #ask: () => Promise<ViewersFacts>;
  readonly #listeners = new Set<() => void>();
  #snapshot = NO_AUDIENCE;
  #timer: ReturnType<typeof setInterval> | undefined;
  #asking = false;
  #toldMs = 0;

  /** `ask` throws ApiError. */
  constructor(ask: () => Promise<ViewersFacts>) {
    this.#ask = ask;
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    if (this.#timer === undefined) {
      this.#timer = setInterval(() => void this.#look(), ASK_MS);
      void this.#look();
    }
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size > 0) return;
      clearInterval(this.#timer);
      this.#timer = undefined;
    };
  };

  snapshot = (): AudienceSnapshot => this.#snapshot;

  async #look(): Promise<void> {
    if (this.#asking || document.visibilityState === 'hidden') return;
    this.#asking = true;
    try {
      this.#learn(await this.#ask(), Date.now());
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (Date.now() - this.#toldMs >= STALE_MS && !this.#snapshot.failed) {
        this.#show({ ...this.#snapshot, facts: null, failed: true });
      }
    } finally {
      this.#asking = false;
    }
  }

  #learn(facts: ViewersFacts, nowMs: number): void {
    this.#toldMs = nowMs;
    const kept = this.#snapshot.latencies.filter(({ atMs }) => nowMs - atMs < LATENCIES_MS);
    const { latency } = facts;
    if (latency !== undefined) {
      kept.push({ atMs: nowMs, p50Ms: latency.p50Ms, p95Ms: latency.p95Ms });
    }
    this.#show({ facts, latencies: kept, failed: false });
  }

  #show(snapshot: AudienceSnapshot): void {
    this.#snapshot = snapshot;
    for (const listener of this.#listeners) listener();
  }
}
