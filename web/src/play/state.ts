/** What the viewer is told; pure, the caller brings the time. */

import {
  type CodecKind,
  type CodeName,
  DEFAULT_SERVING,
  type Serving,
  type Status,
} from '@steadycast/codec-glue';

/** `sinceMs` are Unix milliseconds of this machine. */
export type PlayerState =
  | { kind: 'connecting'; attempt: number }
  | { kind: 'live' }
  /** Connected and live, and the shared screen does not change. Nothing is wrong. */
  | { kind: 'static'; sinceMs: number }
  /** The admin is away; the last picture stays. */
  | { kind: 'away'; sinceMs: number }
  /** The admin has taken the picture back; nobody is to see it. */
  | { kind: 'paused'; sinceMs: number }
  /** What the admin sends cannot be shown here; a version that can is on its way. */
  | { kind: 'preparing' }
  /** What the admin sends cannot be shown here, and no other version can be had. */
  | { kind: 'undecodable'; codec: CodecKind | null }
  /** It is private, and there is no key here (keyless), or none that fits (foreign). */
  | { kind: 'locked'; why: 'keyless' | 'foreign' }
  /** The admin has not started yet. */
  | { kind: 'waiting' }
  /** `covered`: the picture had been taken back, and stays so. */
  | { kind: 'reconnecting'; sinceMs: number; covered: boolean }
  | { kind: 'ended'; reason: CodeName }
  | { kind: 'refused'; reason: CodeName | null; message: string }
  | { kind: 'unsupported'; reason: UnsupportedReason };

/** What a refusal says that comes of a page without a token. */
export const NO_TOKEN = 'no token';

export type UnsupportedReason =
  | 'webkit'
  | 'webtransport'
  | 'decoder'
  | 'canvas'
  | 'insecure'
  /** The broadcast is private, and no way is here by which this browser could open it. */
  | 'sealed'
  /** The relay answers, and none of the ways to a session gets through. */
  | 'blocked'
  /** The network lets no UDP through, and over TCP this browser cannot play. */
  | 'udp';

/** Without new content for this long, the screen counts as static. */
const STATIC_AFTER_MS = 1_000;
/** A relay that was silent for longer vouches for nothing. */
const TRUSTED_SILENCE_MS = 2_500;

type Link =
  | { kind: 'connecting'; attempt: number }
  | { kind: 'open' }
  | { kind: 'lost'; sinceMs: number }
  | { kind: 'over'; state: PlayerState };

const ENDINGS: ReadonlySet<CodeName> = new Set(['broadcast_ended', 'held_too_long', 'done']);

export class StateMachine {
  #link: Link = { kind: 'connecting', attempt: 1 };
  #status: Pick<Status, 'phase'> & { sinceMs: number } = { phase: 'waiting', sinceMs: 0 };
  #serving: Serving = DEFAULT_SERVING;
  #pictured = false;
  #newContentMs = 0;
  /** What the relay says of it: since when nothing is new, or null; undefined: it does not say. */
  #stillSinceMs: number | null | undefined;

  connecting(attempt: number): void {
    if (this.#link.kind === 'connecting') this.#link = { kind: 'connecting', attempt };
  }

  opened(nowMs: number): void {
    this.#link = { kind: 'open' };
    this.#newContentMs = nowMs;
    this.#serving = DEFAULT_SERVING;
    this.#stillSinceMs = undefined;
  }

  /**
   * Since when the picture stands still, as far as the relay tells; null: it moves. It knows which
   * frames bring nothing new where the player cannot.
   */
  content(stillSinceMs: number | null | undefined): void {
    this.#stillSinceMs = stillSinceMs;
  }

  /** What the relay serves this player from now on. */
  served(serving: Serving): void {
    this.#serving = serving;
  }

  /** `sinceMs` is the status' time on this machine's clock. */
  status(phase: Status['phase'], sinceMs: number): void {
    // The picture that an admin comes back with is new, and about to be shown.
    if (phase === 'live') this.#newContentMs = Math.max(this.#newContentMs, sinceMs);
    this.#status = { phase, sinceMs };
  }

  lost(nowMs: number): void {
    if (this.#link.kind === 'open') this.#link = { kind: 'lost', sinceMs: nowMs };
  }

  refused(reason: CodeName | null, message: string): void {
    const state: PlayerState =
      reason !== null && ENDINGS.has(reason)
        ? { kind: 'ended', reason }
        : { kind: 'refused', reason, message };
    this.#link = { kind: 'over', state };
  }

  unsupported(reason: UnsupportedReason): void {
    this.#link = { kind: 'over', state: { kind: 'unsupported', reason } };
  }

  /** A frame was shown; a refinement brings no new content. */
  shown(refinement: boolean, nowMs: number): void {
    this.#pictured = true;
    if (!refinement) this.#newContentMs = nowMs;
  }

  /** New content is on its way, and takes its time. */
  arriving(nowMs: number): void {
    this.#newContentMs = nowMs;
  }

  /** `silentMs`: for how long nothing was heard from the relay. */
  at(nowMs: number, silentMs: number): PlayerState {
    switch (this.#link.kind) {
      case 'connecting':
        return this.#link;
      case 'lost':
        return {
          kind: 'reconnecting',
          sinceMs: this.#link.sinceMs,
          covered: this.#status.phase === 'paused',
        };
      case 'over':
        return this.#link.state;
      case 'open':
        return this.#whileOpen(nowMs, silentMs);
    }
  }

  #whileOpen(nowMs: number, silentMs: number): PlayerState {
    const { phase, sinceMs } = this.#status;
    if (phase === 'waiting') return { kind: 'waiting' };
    if (phase === 'paused') return { kind: 'paused', sinceMs };
    // Without a picture it is of no interest that it stands still.
    if (phase === 'held' && this.#pictured) return { kind: 'away', sinceMs };
    if (this.#serving.service === 'unsupported') {
      return { kind: 'undecodable', codec: this.#serving.codec };
    }
    if (this.#serving.service === 'preparing') return { kind: 'preparing' };
    if (phase === 'held') return { kind: 'away', sinceMs };
    if (!this.#pictured) return { kind: 'connecting', attempt: 1 };
    const stillMs = this.#stillMs(nowMs);
    if (stillMs !== null && silentMs < TRUSTED_SILENCE_MS) {
      return { kind: 'static', sinceMs: stillMs };
    }
    return { kind: 'live' };
  }

  #stillMs(nowMs: number): number | null {
    if (this.#stillSinceMs !== undefined) return this.#stillSinceMs;
    return nowMs - this.#newContentMs >= STATIC_AFTER_MS ? this.#newContentMs : null;
  }
}

/** Whether two states read the same to a viewer. */
export function sameState(one: PlayerState, other: PlayerState): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
