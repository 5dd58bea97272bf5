/** What relays say of themselves to which a player may have to go, asked ahead: going there takes a session and nothing else. */

import type { fetchEndpoint, RelayEndpoint } from '../session/endpoint.ts';

/** So many of those that come first are asked. */
const ASKED = 2;
/** What they said is good for so long: the certificates of relays in development change. */
const GOOD_MS = 600_000;

export interface ScoutsOptions {
  /** One does not answer this browser, or not as a relay does. */
  onSilent: (relay: string) => void;
  /** How one is asked. */
  ask: typeof fetchEndpoint;
}

export class Scouts {
  readonly #options: ScoutsOptions;
  readonly #known = new Map<string, { endpoint: RelayEndpoint | null; askedMs: number }>();
  readonly #over = new AbortController();

  constructor(options: ScoutsOptions) {
    this.#options = options;
  }

  /** Asks the first of these that have not been asked of late. */
  look(relays: readonly string[], nowMs: number): void {
    for (const relay of relays.slice(0, ASKED)) {
      const known = this.#known.get(relay);
      if (known === undefined || nowMs - known.askedMs >= GOOD_MS) this.#ask(relay, nowMs);
    }
  }

  /** What a relay has said of itself; undefined: nothing so far. */
  of(relay: string): RelayEndpoint | undefined {
    return this.#known.get(relay)?.endpoint ?? undefined;
  }

  stop(): void {
    this.#over.abort();
  }

  #ask(relay: string, nowMs: number): void {
    const { ask, onSilent } = this.#options;
    this.#known.set(relay, { endpoint: this.of(relay) ?? null, askedMs: nowMs });
    ask(relay, this.#over.signal).then(
      (endpoint) => this.#known.set(relay, { endpoint, askedMs: nowMs }),
      () => {
        if (this.#over.signal.aborted) return;
        this.#known.delete(relay);
        onSilent(relay);
      },
    );
  }
}
