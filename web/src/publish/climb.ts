/**
 * When a host on a lesser carrier tries the better one again: now and then, ever more seldom, and at once on what may
 * be another network.
 */

import { onNetworkChange } from '../session/network.ts';

/** frail: the first one where sessions on the better carrier break off, for viewers see each that does. */
export const CLIMB_PAUSE_MS = { first: 60_000, frail: 480_000, most: 1_800_000 };

export class Climb {
  /** True: the host has moved, and no other attempt is needed. */
  readonly #attempt: (signal: AbortSignal) => Promise<boolean>;
  readonly #onNetwork: typeof onNetworkChange;
  #running: AbortController | null = null;
  #trying = false;
  #triedMs = 0;
  #pauseMs = CLIMB_PAUSE_MS.first;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    attempt: (signal: AbortSignal) => Promise<boolean>,
    onNetwork: typeof onNetworkChange = onNetworkChange,
  ) {
    this.#attempt = attempt;
    this.#onNetwork = onNetwork;
  }

  /**
   * A session was opened on a lesser carrier. Another one after it may be on another network. `frail`: on the better
   * one sessions break off here; pauses go on growing then, also from one stay there to the next.
   */
  start(frail = false): void {
    if (this.#running !== null) {
      if (!frail && performance.now() - this.#triedMs >= CLIMB_PAUSE_MS.first) this.#soon();
      return;
    }
    const running = new AbortController();
    this.#running = running;
    this.#pauseMs = frail ? Math.max(CLIMB_PAUSE_MS.frail, this.#pauseMs) : CLIMB_PAUSE_MS.first;
    this.#triedMs = performance.now();
    const leave = this.#onNetwork(() => {
      this.#pauseMs = CLIMB_PAUSE_MS.first;
      this.#soon();
    });
    running.signal.addEventListener('abort', leave);
    this.#later();
  }

  /** There is no session, or one on the best carrier. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#running?.abort();
    this.#running = null;
  }

  #soon(): void {
    clearTimeout(this.#timer);
    if (this.#running !== null && !this.#trying) void this.#try(this.#running.signal);
  }

  #later(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#soon(), this.#pauseMs);
    this.#pauseMs = Math.min(CLIMB_PAUSE_MS.most, this.#pauseMs * 2);
  }

  async #try(signal: AbortSignal): Promise<void> {
    this.#trying = true;
    this.#triedMs = performance.now();
    const moved = await this.#attempt(signal).catch(() => false);
    this.#trying = false;
    if (!moved && !signal.aborted) this.#later();
  }
}
