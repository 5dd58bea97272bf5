/**
 * Which transports run, and which one is kept; pure, the caller brings the time. The first in order
 * starts at once and has a head start; the first to open a session is kept and the other one ends.
 * When the kept one cannot open its next session, both run again; and where it does badly, the other
 * one runs beside it for a while, and the better one is kept.
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

/** How long the other one may take to open a session in a rematch, and the whole rematch. */
const REMATCH_OPEN_MS = 10_000;
const REMATCH_MS = 30_000;
/** From the end of a rematch to the next one; doubles, so that nobody goes back and forth. */
const REMATCH_PAUSE_MS = { first: 60_000, most: 1_800_000 };

interface Rematch {
  rival: TransportName;
  sinceMs: number;
  open: boolean;
}

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
  #rematch: Rematch | null = null;
  #rematchFromMs = Number.NEGATIVE_INFINITY;
  #pauseMs = REMATCH_PAUSE_MS.first;

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
    if (this.#rematch !== null && this.#toldInRematch(this.#rematch, name, progress, nowMs)) return;
    if (progress === 'open') this.#keep(name);
    if (progress === 'over') this.#settle(name);
    if (progress === 'impossible') this.#dismiss(name, nowMs);
  }

  /** The one that runs beside the kept one; null: none does. */
  get rival(): TransportName | null {
    return this.#rematch?.rival ?? null;
  }

  /** The kept one does badly: lets the other one run beside it, unless it just has. */
  rematch(nowMs: number): boolean {
    const [kept, rival] = this.#order;
    const free = this.#kept !== null && kept === this.#kept && !this.#challenged;
    const open = this.#kept !== null && this.#runners.get(this.#kept)?.progress === 'open';
    if (rival === undefined || !free || !open || this.#rematch !== null) return false;
    if (nowMs < this.#rematchFromMs) return false;
    this.#rematch = { rival, sinceMs: nowMs, open: false };
    this.#begin(rival, nowMs);
    return true;
  }

  /** Ends a rematch; the other one goes, or is kept from now on. */
  settleRematch(winner: 'kept' | 'rival', nowMs: number): void {
    const rematch = this.#rematch;
    if (rematch === null) return;
    this.#rematch = null;
    this.#rematchFromMs = nowMs + this.#pauseMs;
    this.#pauseMs = Math.min(REMATCH_PAUSE_MS.most, this.#pauseMs * 2);
    if (winner === 'rival') this.#keep(rematch.rival);
    else this.#runners.delete(rematch.rival);
  }

  plan(nowMs: number): Plan {
    const endMs = this.#rematchEndMs();
    if (endMs !== null && nowMs >= endMs) this.settleRematch('kept', nowMs);
    else if (endMs !== null) return { run: this.#running(), kept: this.#kept, againMs: endMs };
    const dueMs = this.#challengeMs();
    if (dueMs !== null && nowMs >= dueMs) this.#challenge(nowMs);
    return {
      run: this.#running(),
      kept: this.#kept,
      againMs: dueMs !== null && nowMs < dueMs ? dueMs : null,
    };
  }

  #running(): TransportName[] {
    return [...this.#runners.keys()];
  }

  /** Whether that was all there is to it. */
  #toldInRematch(
    rematch: Rematch,
    name: TransportName,
    progress: Progress,
    nowMs: number,
  ): boolean {
    const rival = name === rematch.rival;
    if (progress === 'open') {
      rematch.open ||= rival;
      return true;
    }
    if (progress === 'opening') return true;
    // The end of the broadcast is for both; of the kept one's session, the other one's chance.
    if (progress === 'over') this.#rematch = null;
    else if (rival) this.settleRematch('kept', nowMs);
    else this.settleRematch(rematch.open ? 'rival' : 'kept', nowMs);
    return false;
  }

  #rematchEndMs(): number | null {
    const rematch = this.#rematch;
    if (rematch === null) return null;
    return rematch.sinceMs + (rematch.open ? REMATCH_MS : REMATCH_OPEN_MS);
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
