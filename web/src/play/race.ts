/**
 * Which transports run, and which one is kept; pure, the caller brings the time. The first in order
 * starts at once and has a head start; the first to open a session is kept and the other one ends.
 * When the kept one cannot open its next session, both run again.
 */

/** whep: WebRTC over HTTP. */
export type TransportName = 'webtransport' | 'whep';

/** What a transport tells of its way to a session. */
export type Progress =
  /** The relay answers over TCP, and a session is being opened. */
  | 'opening'
  | 'open'
  /** No session came about although the relay answers over TCP. */
  | 'failed'
  /** The session is gone, or the relay does not answer; it is tried again. */
  | 'down'
  /** It cannot be, here and now. */
  | 'impossible'
  /** The broadcast has ended, or is not for this viewer, whatever the transport. */
  | 'over';

/** What the race asks for at present. */
export interface Plan {
  run: TransportName[];
  kept: TransportName | null;
  /** When to look again although nothing happened; null: no need to. */
  againMs: number | null;
}

/** How much earlier the first transport begins. */
const HEAD_START_MS = 500;
/** One that has worked is given longer: a relay that restarts is asked by everybody at once. */
const KEPT_HEAD_START_MS = 2_000;
/** One that says nothing at all, not even that the relay is silent, did not load. */
const MUTE_MS = 2_000;

interface Runner {
  progress: Progress | 'mute';
  sinceMs: number;
}

export class Race {
  /** The order of start; who is kept comes first. */
  #order: TransportName[];
  readonly #runners = new Map<TransportName, Runner>();
  #kept: TransportName | null = null;
  /** Both run until one is open. */
  #challenged = false;

  /** `order`: what is possible here, the best first. */
  constructor(order: readonly TransportName[], nowMs: number) {
    this.#order = [...order];
    const [first] = order;
    if (first !== undefined) this.#begin(first, nowMs);
  }

  /** Takes in what a transport tells; what it says after it was ended does not count. */
  tell(name: TransportName, progress: Progress, nowMs: number): void {
    const runner = this.#runners.get(name);
    if (runner === undefined) return;
    if (runner.progress !== progress) this.#runners.set(name, { progress, sinceMs: nowMs });
    if (progress === 'open') this.#keep(name);
    if (progress === 'over') this.#settle(name);
    if (progress === 'impossible') this.#dismiss(name, nowMs);
  }

  plan(nowMs: number): Plan {
    const dueMs = this.#challengeMs();
    if (dueMs !== null && nowMs >= dueMs) this.#challenge(nowMs);
    return {
      run: [...this.#runners.keys()],
      kept: this.#kept,
      againMs: dueMs !== null && nowMs < dueMs ? dueMs : null,
    };
  }

  #begin(name: TransportName, nowMs: number): void {
    if (!this.#runners.has(name)) this.#runners.set(name, { progress: 'mute', sinceMs: nowMs });
  }

  #keep(name: TransportName): void {
    if (this.#kept === name && !this.#challenged) return;
    this.#kept = name;
    this.#challenged = false;
    this.#order = [name, ...this.#order.filter((other) => other !== name)];
    for (const other of this.#order.slice(1)) this.#runners.delete(other);
  }

  #settle(name: TransportName): void {
    this.#keep(name);
    this.#order = [name];
  }

  #dismiss(name: TransportName, nowMs: number): void {
    this.#runners.delete(name);
    this.#order = this.#order.filter((other) => other !== name);
    if (this.#kept === name) this.#kept = null;
    this.#challenged = false;
    const [next] = this.#order;
    if (next !== undefined) this.#begin(next, nowMs);
  }

  #challenge(nowMs: number): void {
    this.#challenged = true;
    for (const name of this.#order) this.#begin(name, nowMs);
  }

  /** When the second transport is to start; null: not as things are. */
  #challengeMs(): number | null {
    const [first, second] = this.#order;
    if (first === undefined || second === undefined || this.#challenged) return null;
    const runner = this.#runners.get(first);
    if (runner === undefined) return null;
    switch (runner.progress) {
      case 'mute':
        return runner.sinceMs + MUTE_MS;
      case 'opening':
        return runner.sinceMs + (this.#kept === null ? HEAD_START_MS : KEPT_HEAD_START_MS);
      case 'failed':
        return runner.sinceMs;
      default:
        // While the relay answers nobody, another transport would not be answered either.
        return null;
    }
  }
}
