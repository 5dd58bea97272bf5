/** What the next visit is to know: which transport won here last, and how the viewer wants to watch. */

import { networkName } from '../session/network.ts';
import { isCount, oneOf, shape } from '../session/parse.ts';
import { TRANSPORTS, type TransportName } from './race.ts';
import { PLAYOUT_MODES, type PlayoutMode } from './spread.ts';
import { browserStore, type Store } from './store.ts';

/** For how long it is believed: networks change, and nobody is to be stuck with the second best. */
const BELIEVED_MS = 7 * 24 * 60 * 60 * 1_000;

interface Won {
  transport: TransportName;
  /** Unix milliseconds of the first time. */
  atMs: number;
}

const isWon = shape<Won>({ transport: oneOf(TRANSPORTS), atMs: isCount });

export class Memory {
  readonly #store: Store | null;
  readonly #key: string;

  /** Winners are remembered per relay, and per network where the browser tells networks apart. */
  constructor(
    origin: string,
    store: Store | null = browserStore(),
    network: string = networkName(),
  ) {
    this.#store = store;
    this.#key = `steadycast-transport ${origin} ${network}`.trim();
  }

  /** What is possible here, in the order to try it. */
  order(possible: readonly TransportName[], nowMs: number): TransportName[] {
    const best = TRANSPORTS.filter((name) => possible.includes(name));
    const won = this.#recall(nowMs)?.transport;
    if (won === undefined || !best.includes(won)) return best;
    return [won, ...best.filter((name) => name !== won)];
  }

  /**
   * Remembers the winner. One that wins again does so with its head start, which proves little: it
   * is believed no longer for that.
   */
  won(transport: TransportName, nowMs: number): void {
    if (this.#recall(nowMs)?.transport === transport) return;
    try {
      this.#store?.setItem(this.#key, JSON.stringify({ transport, atMs: nowMs } satisfies Won));
    } catch {
      // Full, or forbidden: the next page finds out for itself.
    }
  }

  #recall(nowMs: number): Won | null {
    try {
      const won: unknown = JSON.parse(this.#store?.getItem(this.#key) ?? 'null');
      // A clock that was set back must not keep it for longer.
      return isWon(won) && Math.abs(nowMs - won.atMs) < BELIEVED_MS ? won : null;
    } catch {
      return null;
    }
  }
}

const PLAYOUT_KEY = 'steadycast-playout';
const isPlayout = oneOf(PLAYOUT_MODES);

/** The viewer's choice of play-out, whatever the relay. */
export function chosenPlayout(store: Store | null = browserStore()): PlayoutMode {
  try {
    const chosen: unknown = store?.getItem(PLAYOUT_KEY);
    return isPlayout(chosen) ? chosen : 'automatic';
  } catch {
    return 'automatic';
  }
}

export function choosePlayout(mode: PlayoutMode, store: Store | null = browserStore()): void {
  try {
    store?.setItem(PLAYOUT_KEY, mode);
  } catch {
    // Full, or forbidden: it holds for this visit.
  }
}
