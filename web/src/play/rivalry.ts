/**
 * Whether the other transport may do better than the one that is kept, and whether it did; pure, the
 * caller brings the time. What counts is what a viewer sees: how late the picture is, and how long
 * it stands still while there is something to show.
 */

import type { RematchReason } from './race.ts';

/** What is known of a transport at a moment. */
export interface Health {
  /** There is something to show: neither at rest nor held, and the page is to be seen. */
  moving: boolean;
  /** The relay says that the path carries too little, which no transport changes. */
  narrow: boolean;
  /** Pictures shown so far. */
  shown: number;
  /** From capture to display at present; null: not known. */
  delayMs: number | null;
}

const DELAY_MS = 2_000;
/** Late for so long is a strike, and every time anew. */
const DELAYED_MS = 3_000;
const FROZEN_MS = 5_000;
const STRIKES = 2;
/** Strikes are forgotten after so long. */
const STRIKE_MS = 120_000;

/** Counts what the kept transport does badly. */
export class Trouble {
  #shown = -1;
  /** Since when the picture has been late, and since when it has stood still. */
  #lateMs: number | null = null;
  #stillMs: number | null = null;
  #strikes: number[] = [];

  /** Another transport is kept, or this one is to have a fresh start. */
  restart(): void {
    this.#shown = -1;
    this.#lateMs = null;
    this.#stillMs = null;
    this.#strikes = [];
  }

  /** Takes the newest of successive looks; says whether it is bad enough to try the other. */
  look({ moving, narrow, shown, delayMs }: Health, nowMs: number): boolean {
    if (narrow) this.restart();
    const still = moving && shown === this.#shown;
    const late = moving && !still && (delayMs ?? 0) > DELAY_MS;
    this.#shown = shown;
    this.#stillMs = still ? (this.#stillMs ?? nowMs) : null;
    // While it stands still, nothing new is known of how late it is.
    if (!still) this.#lateMs = late ? (this.#lateMs ?? nowMs) : null;
    if (this.#stillMs !== null && nowMs - this.#stillMs >= FROZEN_MS) {
      this.#stillMs = nowMs;
      this.#strikes.push(nowMs);
    } else if (late && this.#lateMs !== null && nowMs - this.#lateMs >= DELAYED_MS) {
      this.#lateMs = nowMs;
      this.#strikes.push(nowMs);
    }
    this.#strikes = this.#strikes.filter((atMs) => nowMs - atMs < STRIKE_MS);
    return this.#strikes.length >= STRIKES;
  }
}

/** How long both are compared, from the other one's first pictures on. */
const TRIAL_MS = 8_000;
/** What comes first is a join's, and no measure. */
const WARM_MS = 2_000;
/** What is clearly better, for a change is a risk. */
const BETTER_SHARE = 0.6;
const BETTER_MS = 500;

/** What one side did during a trial. */
class Score {
  #shown = 0;
  #movedMs: number | null = null;
  #stillMs = 0;
  #delayMs = 0;

  look({ shown, delayMs }: Health, nowMs: number): void {
    if (this.#movedMs === null || shown > this.#shown) this.#movedMs = nowMs;
    this.#shown = shown;
    this.#stillMs = Math.max(this.#stillMs, nowMs - this.#movedMs);
    this.#delayMs = Math.max(this.#delayMs, delayMs ?? 0);
  }

  /** How far behind the world a viewer was at worst. */
  get badMs(): number {
    return this.#delayMs + this.#stillMs;
  }
}

/** Compares the kept transport and another one while both run. */
export class Trial {
  readonly #reason: RematchReason;
  readonly #longerMs: number;
  #kept = new Score();
  #rival = new Score();
  #beganMs: number | null = null;

  /** `reason`: why there is a rematch; `longerMs`: how much longer than others it takes. */
  constructor(reason: RematchReason, longerMs = 0) {
    this.#reason = reason;
    this.#longerMs = longerMs;
  }

  kept(health: Health, nowMs: number): void {
    if (this.#warm(nowMs)) this.#kept.look(health, nowMs);
  }

  rival(health: Health, nowMs: number): void {
    if (health.shown > 0) this.#beganMs ??= nowMs;
    if (this.#warm(nowMs)) this.#rival.look(health, nowMs);
  }

  /** Which one is better; null: it is not known yet. */
  verdict(nowMs: number): 'kept' | 'rival' | null {
    const takesMs = WARM_MS + TRIAL_MS + this.#longerMs;
    if (this.#beganMs === null || nowMs - this.#beganMs < takesMs) return null;
    const [kept, rival] = [this.#kept.badMs, this.#rival.badMs];
    // Where nothing is wrong the better transport is wanted, unless it is worse here.
    if (this.#reason === 'better') return isBetter(kept, rival) ? 'kept' : 'rival';
    return isBetter(rival, kept) ? 'rival' : 'kept';
  }

  #warm(nowMs: number): boolean {
    return this.#beganMs !== null && nowMs - this.#beganMs >= WARM_MS;
  }
}

/** Whether a viewer would see that. */
function isBetter(oneMs: number, otherMs: number): boolean {
  return oneMs < otherMs * BETTER_SHARE && oneMs < otherMs - BETTER_MS;
}
