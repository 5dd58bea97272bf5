/** How a player stands with its relay, and what it knows of others. */

import type { ConnectionState } from '../session/index.ts';

export interface Footing {
  /** Relays that would take this player, in the order in which they are to be tried (PROTOCOL 2.15). */
  others: readonly string[];
  /** The relay has said that it goes, and that this player is to be at another one. */
  leaves: boolean;
  session: SessionStanding;
  /** An open session has brought nothing for longer than it should. */
  silent: boolean;
}

export type SessionStanding =
  /** None has been open so far, and nothing is known against it. */
  | 'opening'
  | 'open'
  /** It broke off without a word. */
  | 'broken'
  /** The relay answers nobody, or stops. */
  | 'absent'
  /** The relay takes nobody more. */
  | 'full'
  /** It answers over TCP, and no session comes about. */
  | 'blocked';

export const NO_FOOTING: Footing = Object.freeze({
  others: Object.freeze([]),
  leaves: false,
  session: 'opening',
  silent: false,
});

/** How it stands after that; as before where it says nothing of it. */
export function standingOf<S>(state: ConnectionState<S>, before: SessionStanding): SessionStanding {
  if (state.kind === 'open') return 'open';
  return state.kind === 'lost' ? state.why : before;
}

/** Notes come several times a second; more between two, and this side was asleep, or busy. */
const AWAKE_MS = 600;

/** Follows the footing of one player. */
export class FootingNotes {
  #others: readonly string[] = [];
  #leaves = false;
  #session: SessionStanding = 'opening';
  #notedMs = Number.POSITIVE_INFINITY;

  connection<S>(state: ConnectionState<S>): void {
    // Another session may be at a relay that was started since.
    if (state.kind === 'open') this.#leaves = false;
    this.#session = standingOf(state, this.#session);
  }

  relays(others: readonly string[]): void {
    this.#others = others;
  }

  leave(): void {
    this.#leaves = true;
  }

  /** Silence counts while somebody listens: what came while this side did not run has yet to be read. */
  at(silent: boolean, nowMs: number): Footing {
    const awake = nowMs - this.#notedMs <= AWAKE_MS;
    this.#notedMs = nowMs;
    return {
      others: this.#others,
      leaves: this.#leaves,
      session: this.#session,
      silent: silent && awake && this.#session === 'open',
    };
  }
}
