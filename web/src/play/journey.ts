/**
 * At which relay a player watches, where there are several; pure, the caller brings the time. While all is well it stays. Where
 * its relay goes, takes nobody, is dead or silent, another one is tried beside it, and the first to show a picture is
 * kept. A relay that only stalled, and is heard again before another one has shown anything, keeps its player.
 */

import type { Footing } from './footing.ts';

/** What is known of a relay that is tried. */
export interface Progress {
  footing: Footing;
  /** It has a picture to show. */
  pictured: boolean;
  /** The broadcast has none at present, as far as this relay knows. */
  blank: boolean;
  /** This player gets no session there, now or later. */
  over: boolean;
}

/** What is to be so now. */
export interface Course {
  kept: string;
  /** The relay that is tried beside it; null: none is. */
  tried: string | null;
  /** When to look again although nothing happened; null: no need to. */
  againMs: number | null;
}

/** How long a relay has whose session broke off, or whose sessions do not open: others are no nearer. */
const HEAD_START_MS = { broken: 300, blocked: 3_000, opening: 3_000 };
/** How long one has to open a session when it is tried, for the first time; longer each time that all have failed. */
const OPEN_MS = { first: 1_500, most: 12_000 };
/** How long an open one has to show a picture; and how long it is waited for where the broadcast has none. */
const PICTURE_MS = 5_000;
const BLANK_MS = 1_500;
/** Between two rounds in which all have failed; doubles. */
const PAUSE_MS = { first: 2_000, most: 30_000 };
/** A relay that is heard again for so long goes on. */
const CALM_MS = 500;
/** One that does not answer, or takes nobody for good, is passed over for so long. */
const PASSED_OVER_MS = 60_000;

interface Trial {
  relay: string;
  sinceMs: number;
  openMs: number | null;
}

export class Journey {
  #kept: string;
  #footing: Footing | null = null;
  /** Since when its session is as it is. */
  #sinceMs: number;
  #others: readonly string[] = [];
  #trial: Trial | null = null;
  /** Since when no other is wanted any more, while one is tried. */
  #calmMs: number | null = null;
  /** Those that were tried in this round. */
  readonly #tried = new Set<string>();
  readonly #passedOver = new Map<string, number>();
  #rounds = 0;
  #fromMs = Number.NEGATIVE_INFINITY;

  constructor(relay: string, nowMs: number) {
    this.#kept = relay;
    this.#sinceMs = nowMs;
  }

  /** Where it could go. */
  get others(): readonly string[] {
    return this.#others.filter((relay) => relay !== this.#kept);
  }

  /** Whether it would go elsewhere if it knew where. */
  seeks(nowMs: number): boolean {
    return (this.#wantedMs(nowMs) ?? Number.POSITIVE_INFINITY) <= nowMs;
  }

  /** How it stands with the relay that is kept. */
  told(footing: Footing, nowMs: number): void {
    if (footing.session !== this.#footing?.session) this.#sinceMs = nowMs;
    this.#footing = footing;
    this.knows(footing.others);
  }

  /** Others, in the order in which they are to be tried; none is no news. */
  knows(others: readonly string[]): void {
    if (others.length > 0) this.#others = others;
  }

  /** One of them does not answer this browser. */
  passOver(relay: string, nowMs: number): void {
    this.#passedOver.set(relay, nowMs + PASSED_OVER_MS);
  }

  /** How it stands with the one that is tried. */
  progress({ footing, pictured, blank, over }: Progress, nowMs: number): void {
    const trial = this.#trial;
    if (trial === null) return;
    if (over) this.passOver(trial.relay, nowMs);
    if (over || footing.session === 'absent' || footing.session === 'full') {
      this.#next(nowMs);
      return;
    }
    const open = footing.session === 'open';
    trial.openMs = open ? (trial.openMs ?? nowMs) : null;
    const waited = trial.openMs !== null && nowMs - trial.openMs >= BLANK_MS;
    if (pictured || (waited && blank)) this.#keep(trial.relay, nowMs);
  }

  plan(nowMs: number): Course {
    const wantedMs = this.#wantedMs(nowMs);
    this.#calmMs = wantedMs === null ? (this.#calmMs ?? nowMs) : null;
    if (this.#calmMs !== null && (this.#trial === null || nowMs - this.#calmMs >= CALM_MS))
      this.#rest();
    const limitMs = this.#limitMs();
    if (limitMs !== null && nowMs >= limitMs) this.#next(nowMs);
    const dueMs = wantedMs === null ? null : Math.max(wantedMs, this.#fromMs);
    if (this.#trial === null && dueMs !== null && nowMs >= dueMs) this.#try(nowMs);
    return { kept: this.#kept, tried: this.#trial?.relay ?? null, againMs: this.#againMs(dueMs) };
  }

  /** From when on another relay is wanted; null: as things are, none is. */
  #wantedMs(nowMs: number): number | null {
    const footing = this.#footing;
    if (footing === null) return null;
    if (footing.leaves) return nowMs;
    switch (footing.session) {
      case 'open':
        return footing.silent ? nowMs : null;
      case 'absent':
      case 'full':
        return nowMs;
      default:
        return this.#sinceMs + HEAD_START_MS[footing.session];
    }
  }

  #try(nowMs: number): void {
    const fit = this.others.filter((relay) => (this.#passedOver.get(relay) ?? 0) <= nowMs);
    const relay = fit.find((one) => !this.#tried.has(one));
    if (relay !== undefined) {
      this.#tried.add(relay);
      this.#trial = { relay, sinceMs: nowMs, openMs: null };
    } else if (this.#tried.size > 0) {
      this.#tried.clear();
      this.#fromMs = nowMs + Math.min(PAUSE_MS.most, PAUSE_MS.first * 2 ** this.#rounds);
      this.#rounds += 1;
    }
  }

  #next(nowMs: number): void {
    this.#trial = null;
    if (this.#wantedMs(nowMs) !== null && nowMs >= this.#fromMs) this.#try(nowMs);
  }

  /** The kept one is heard, and goes on. */
  #rest(): void {
    this.#trial = null;
    this.#calmMs = null;
    this.#tried.clear();
    this.#rounds = 0;
    this.#fromMs = Number.NEGATIVE_INFINITY;
  }

  #keep(relay: string, nowMs: number): void {
    this.#kept = relay;
    this.#footing = null;
    this.#sinceMs = nowMs;
    this.#rest();
  }

  /** Until when the one that is tried has time. */
  #limitMs(): number | null {
    const trial = this.#trial;
    if (trial === null) return null;
    if (trial.openMs !== null) return trial.openMs + PICTURE_MS;
    return trial.sinceMs + Math.min(OPEN_MS.most, OPEN_MS.first * 2 ** this.#rounds);
  }

  #againMs(dueMs: number | null): number | null {
    if (this.#trial !== null && this.#calmMs !== null) return this.#calmMs + CALM_MS;
    if (this.#trial !== null) return this.#limitMs();
    return dueMs !== null && this.others.length > 0 ? Math.max(dueMs, this.#fromMs) : null;
  }
}
