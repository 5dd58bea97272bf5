/** What is found again and again, without flicker: it appears when it lasts, and goes when it stays away; pure. */

import { TROUBLES, type Trouble, type TroubleName } from './troubles.ts';

/** So long something has to be found before it is shown. */
const LASTS_MS = 2_000;
/** So long it is shown after it was found last. */
const STAYS_MS = 3_000;

interface Known {
  sinceMs: number;
  foundMs: number;
  trouble: Trouble;
}

export class Steady {
  readonly #known = new Map<TroubleName, Known>();

  /** What is to be shown, in order, after `found` was found; to be called about once a second. */
  take(nowMs: number, found: readonly Trouble[]): Trouble[] {
    for (const trouble of found) {
      const sinceMs = this.#known.get(trouble.name)?.sinceMs ?? nowMs;
      this.#known.set(trouble.name, { sinceMs, foundMs: nowMs, trouble });
    }
    for (const [name, known] of this.#known) {
      if (this.#isOver(known, nowMs)) this.#known.delete(name);
    }
    return TROUBLES.flatMap((name) => {
      const known = this.#known.get(name);
      return known !== undefined && this.#isShown(known) ? [known.trouble] : [];
    });
  }

  #isShown({ sinceMs, foundMs }: Known): boolean {
    return foundMs - sinceMs >= LASTS_MS;
  }

  /** What never lasted needs no time to go. */
  #isOver(known: Known, nowMs: number): boolean {
    const awayMs = nowMs - known.foundMs;
    return this.#isShown(known) ? awayMs >= STAYS_MS : awayMs > 0;
  }
}
