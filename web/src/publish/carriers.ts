/**
 * What a host's sessions run on: the first way that is open, and what opened here before begins; one on which they
 * break off again and again comes last.
 */

import {
  CARRIERS,
  type CarrierName,
  type Connect,
  connectBy,
  connectFirst,
  fetchEndpoint,
  Losses,
  onNetworkChange,
  type Transport,
  webSocketWorks,
  webTransportWorks,
} from '../session/index.ts';
import type { WayMemory } from './storage.ts';

const [BEST] = CARRIERS;

/** What tests replace. */
export interface CarriersDeps {
  connectBy: typeof connectBy;
  fetchEndpoint: typeof fetchEndpoint;
  /** What this browser has, the best first. */
  possible: () => readonly CarrierName[];
  onNetwork: typeof onNetworkChange;
}

const WORKS: Record<CarrierName, () => boolean> = {
  webtransport: () => webTransportWorks(),
  websocket: () => webSocketWorks(),
};

const browserDeps: CarriersDeps = {
  connectBy,
  fetchEndpoint,
  possible: () => CARRIERS.filter((name) => WORKS[name]()),
  onNetwork: onNetworkChange,
};

export class Carriers {
  readonly #relay: string;
  readonly #memory: WayMemory;
  readonly #deps: CarriersDeps;
  readonly #losses = new Losses<CarrierName>();
  /** Whether it hears of other networks. */
  #watches = false;

  constructor(relay: string, memory: WayMemory, deps: CarriersDeps = browserDeps) {
    this.#relay = relay;
    this.#memory = memory;
    this.#deps = deps;
  }

  readonly connect: Connect = async (endpoint, signal) => {
    this.#watch();
    const possible = this.#deps.possible();
    const won = await this.#memory.load();
    const remembered = possible.filter((name) => name === won);
    // Where none works, the first one says so.
    const order = new Set([...remembered, ...possible, ...(possible.length === 0 ? [BEST] : [])]);
    const ways = this.#losses
      .sorted([...order])
      .map((name) => this.#deps.connectBy(name, this.#relay));
    const transport = await connectFirst(ways)(endpoint, signal);
    if (possible.length > 1) this.#remember(transport);
    return transport;
  };

  /** A session is open on it. */
  opened(carrier: CarrierName): void {
    this.#losses.opened(carrier, performance.now());
  }

  /** A session on it broke off although the relay is there. */
  brokeOff(carrier: CarrierName): void {
    this.#losses.broke(carrier, performance.now());
  }

  /** Whether sessions break off on the best one here. */
  get frail(): boolean {
    const [name = BEST] = this.#deps.possible();
    return this.#losses.frailty(name) > 0;
  }

  /** Whether there is a better one than this. */
  hasBetter(carrier: CarrierName): boolean {
    const possible = this.#deps.possible();
    return possible.includes(carrier) && possible[0] !== carrier;
  }

  /** Connects by the best one alone. Rejects with SessionError, or the abort's reason. */
  async best(signal: AbortSignal): Promise<Transport> {
    const [name = BEST] = this.#deps.possible();
    const endpoint = await this.#deps.fetchEndpoint(this.#relay, signal);
    const transport = await this.#deps.connectBy(name, this.#relay)(endpoint, signal);
    this.#remember(transport);
    return transport;
  }

  /** Connects by the first that is open. Rejects with SessionError, or the abort's reason. */
  async reach(signal: AbortSignal): Promise<Transport> {
    return this.connect(await this.#deps.fetchEndpoint(this.#relay, signal), signal);
  }

  #watch(): void {
    if (this.#watches) return;
    this.#watches = true;
    this.#deps.onNetwork(() => this.#losses.forget());
  }

  #remember({ carrier = BEST }: Transport): void {
    void this.#memory.save(carrier);
  }
}
