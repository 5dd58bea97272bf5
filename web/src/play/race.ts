/**
 * Which transports run, and which one is kept; pure, the caller brings the time. The first in order
 * starts at once and has a head start on the next one, and so on; the first to open a session is kept and
 * the others end. When the kept one cannot open its next session, all run again, one after another; where
 * it does badly, another one runs beside it for a while, and the better one is kept. Where it is only the
 * second best, the better ones are tried again in the same way, now and then and on another network. One whose
 * sessions break off again and again although the relay is there comes last, and is tried longer each time.
 */

import { Losses } from '../session/losses.ts';

/** The best first. whep: WebRTC over HTTP; websocket: over TCP alone. */
export const TRANSPORTS = ['webtransport', 'whep', 'websocket'] as const;
export type TransportName = (typeof TRANSPORTS)[number];

/** What a transport tells of its way to a session. */
export type Progress =
  /** The relay answers over TCP, and a session is being opened. */
  | 'opening'
  /** The same, after a session that broke off although the relay is there. */
  | 'reopening'
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

/**
 * How much earlier than the second one the first transport begins, and each after it than the next. Where the first
 * takes longer to ask the relay over TCP, the way is long or narrow, or the machine is busy: a session takes longer
 * then as well, and another transport would only hold it up.
 */
const HEAD_START_MS = { first: 500, other: 300, most: 1_500 };
/** One that has worked is given longer: a relay that restarts is asked by everybody at once. */
const KEPT_HEAD_START_MS = 2_000;
/** One that says nothing at all, not even that the relay is silent, did not load. */
const MUTE_MS = 2_000;

/** How long another one may take to open a session in a rematch, and the whole rematch. */
const REMATCH_OPEN_MS = 10_000;
const REMATCH_MS = 30_000;
/** How much longer a rematch takes once a way has broken off again and again; doubles with each time that it does. */
const LONGER_MS = { first: 30_000, most: 120_000 };
/** From the end of a rematch to the next one; doubles, so that nobody goes back and forth. */
const REMATCH_PAUSE_MS = { first: 60_000, most: 1_800_000 };

/** trouble: the kept one does badly; better: it is only the second best. */
export type RematchReason = 'trouble' | 'better';

interface Rematch {
  rival: TransportName;
  reason: RematchReason;
  /** Whose turn it is if this one does not open. */
  next: TransportName[];
  sinceMs: number;
  /** How much longer than others. */
  longerMs: number;
  open: boolean;
}

interface Runner {
  progress: Exclude<Progress, 'reopening'> | 'mute';
  sinceMs: number;
  startedMs: number;
}

export class Race {
  /** The order of start; who is kept comes first. */
  #order: TransportName[];
  /** In the order in which they were started. */
  readonly #runners = new Map<TransportName, Runner>();
  #kept: TransportName | null = null;
  #rematch: Rematch | null = null;
  #rematchFromMs = Number.NEGATIVE_INFINITY;
  #pauseMs = REMATCH_PAUSE_MS.first;
  /** When a better one than the kept one is tried again. */
  #betterFromMs = Number.POSITIVE_INFINITY;
  /** Better ones that were compared with a lesser one and did worse: on this network they are left alone. */
  readonly #beaten = new Set<TransportName>();
  readonly #losses = new Losses<TransportName>();
  /** A rival was told that this viewer gets no other session: whoever has one stays with it. */
  #barred = false;
  /** How long the first one took to ask the relay. */
  #askedMs = 0;
  /** When each was a rival last. */
  readonly #triedMs = new Map<TransportName, number>();

  /** `order`: what is possible here, in the order to try it. */
  constructor(order: readonly TransportName[], nowMs: number) {
    this.#order = [...order];
    const [first] = order;
    if (first !== undefined) this.#begin(first, nowMs);
  }

  /** Takes in what a transport tells; what it says after it was ended does not count. */
  tell(name: TransportName, told: Progress, nowMs: number): void {
    const runner = this.#runners.get(name);
    if (runner === undefined) return;
    const progress = told === 'reopening' ? 'opening' : told;
    if (runner.progress !== progress) {
      if (runner.progress === 'mute' && progress === 'opening' && this.#runners.size === 1) {
        this.#askedMs = Math.min(HEAD_START_MS.most, nowMs - runner.startedMs);
      }
      this.#runners.set(name, { ...runner, progress, sinceMs: nowMs });
    }
    if (this.#rematch !== null && this.#toldInRematch(this.#rematch, name, progress, nowMs)) return;
    if (told === 'reopening' && this.#losses.broke(name, nowMs)) this.#leave(name, nowMs);
    if (progress === 'open') this.#keep(name, nowMs);
    if (progress === 'over') this.#settle(name, nowMs);
    if (progress === 'impossible') this.#dismiss(name, nowMs);
  }

  /** The one that runs beside the kept one, why, and how much longer it is to do so; null: none does. */
  get rival(): { name: TransportName; reason: RematchReason; longerMs: number } | null {
    const rematch = this.#rematch;
    if (rematch === null) return null;
    return { name: rematch.rival, reason: rematch.reason, longerMs: rematch.longerMs };
  }

  /** The kept one does badly: lets another one run beside it, unless one just has. */
  rematch(nowMs: number): boolean {
    if (!this.#atPeace || this.#barred || nowMs < this.#rematchFromMs) return false;
    const others = this.#order.filter((name) => name !== this.#kept);
    // Each has its turn.
    const [rival] = others.sort((one, other) => this.#turn(one) - this.#turn(other));
    if (rival === undefined) return false;
    this.#match({ rival, reason: 'trouble', next: [] }, nowMs);
    return true;
  }

  /** What stood in the way of better ones may be gone: they are tried again at once. */
  networkChanged(nowMs: number): void {
    this.#beaten.clear();
    this.#losses.forget();
    this.#pauseMs = REMATCH_PAUSE_MS.first;
    this.#rematchFromMs = Math.min(this.#rematchFromMs, nowMs);
    this.#betterFromMs = Math.min(this.#betterFromMs, nowMs);
  }

  /** Ends a rematch that has shown who is better; the other one goes, or is kept from now on. */
  settleRematch(winner: 'kept' | 'rival', nowMs: number): void {
    const rematch = this.#rematch;
    if (rematch === null) return;
    const loser = winner === 'kept' ? rematch.rival : this.#kept;
    const best = winner === 'kept' ? this.#kept : rematch.rival;
    if (loser !== null && best !== null && rank(loser) < rank(best)) this.#beaten.add(loser);
    this.#conclude(winner, nowMs);
  }

  plan(nowMs: number): Plan {
    const endMs = this.#rematchEndMs();
    if (endMs !== null && nowMs >= endMs) this.#unopened(nowMs);
    const betterMs = this.#betterMs();
    if (betterMs !== null && nowMs >= betterMs) this.#tryBetter(nowMs);
    // One after another, each with its head start on the next.
    const dueMs = this.#challengeMs();
    if (dueMs !== null && nowMs >= dueMs) this.#challenge(nowMs);
    return { run: [...this.#runners.keys()], kept: this.#kept, againMs: this.#againMs() };
  }

  /** The next moment at which time alone changes something. */
  #againMs(): number | null {
    const due = [this.#rematchEndMs(), this.#betterMs(), this.#challengeMs()];
    const times = due.filter((ms) => ms !== null);
    return times.length === 0 ? null : Math.min(...times);
  }

  /** The kept one has a session, and runs alone. */
  get #atPeace(): boolean {
    const kept = this.#kept === null ? undefined : this.#runners.get(this.#kept);
    return kept?.progress === 'open' && this.#rematch === null && this.#runners.size === 1;
  }

  #turn(name: TransportName): number {
    return this.#triedMs.get(name) ?? rank(name) - TRANSPORTS.length;
  }

  #match(match: Pick<Rematch, 'rival' | 'reason' | 'next'>, nowMs: number): void {
    this.#rematch = { ...match, sinceMs: nowMs, longerMs: this.#longerMs, open: false };
    this.#triedMs.set(match.rival, nowMs);
    this.#begin(match.rival, nowMs);
  }

  /** Those that are worth another try in the place of the kept one. */
  #better(): TransportName[] {
    const kept = this.#kept;
    if (kept === null) return [];
    const better = TRANSPORTS.filter((name) => rank(name) < rank(kept) && !this.#beaten.has(name));
    return this.#losses.sorted(better.filter((name) => this.#order.includes(name)));
  }

  #betterMs(): number | null {
    if (!this.#atPeace || this.#barred || this.#better().length === 0) return null;
    const ms = Math.max(this.#betterFromMs, this.#rematchFromMs);
    return Number.isFinite(ms) ? ms : null;
  }

  #tryBetter(nowMs: number): void {
    const [rival, ...next] = this.#better();
    if (rival !== undefined) this.#match({ rival, reason: 'better', next }, nowMs);
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
    if (rival && progress === 'over') {
      // A token may have expired that let the kept one in; what ends a session, its relay tells it.
      this.#barred = true;
      this.#conclude('kept', nowMs);
      return true;
    }
    // The end of the broadcast is for both; of the kept one's session, the other one's chance.
    if (progress === 'over') this.#rematch = null;
    else if (rival) this.#failedBeside(rematch, nowMs);
    else this.#conclude(rematch.open ? 'rival' : 'kept', nowMs);
    return false;
  }

  #failedBeside({ rival, open }: Rematch, nowMs: number): void {
    if (open && this.#losses.frailty(rival) > 0) this.#losses.worse(rival);
    this.#unopened(nowMs);
  }

  /** The rival cannot show what it can do: it is the next one's turn, if there is one. */
  #unopened(nowMs: number): void {
    const rematch = this.#rematch;
    const [rival, ...next] = rematch === null || rematch.open ? [] : rematch.next;
    if (rematch === null || rival === undefined) {
      this.#conclude('kept', nowMs);
    } else {
      this.#runners.delete(rematch.rival);
      this.#match({ rival, reason: rematch.reason, next }, nowMs);
    }
  }

  #conclude(winner: 'kept' | 'rival', nowMs: number): void {
    const rematch = this.#rematch;
    if (rematch === null) return;
    this.#rematch = null;
    this.#rest(nowMs);
    if (winner === 'rival') this.#keep(rematch.rival, nowMs);
    else this.#runners.delete(rematch.rival);
  }

  #rest(nowMs: number): void {
    this.#rematchFromMs = nowMs + this.#pauseMs;
    this.#pauseMs = Math.min(REMATCH_PAUSE_MS.most, this.#pauseMs * 2);
  }

  #rematchEndMs(): number | null {
    const rematch = this.#rematch;
    if (rematch === null) return null;
    const { sinceMs, longerMs, open } = rematch;
    return sinceMs + (open ? REMATCH_MS + longerMs : REMATCH_OPEN_MS);
  }

  /** What ends the sessions of one may end those of another as late. */
  get #longerMs(): number {
    const { worst } = this.#losses;
    return worst === 0 ? 0 : Math.min(LONGER_MS.most, LONGER_MS.first * 2 ** (worst - 1));
  }

  #begin(name: TransportName, nowMs: number): void {
    if (this.#runners.has(name)) return;
    this.#runners.set(name, { progress: 'mute', sinceMs: nowMs, startedMs: nowMs });
  }

  #keep(name: TransportName, nowMs: number): void {
    // One that lost its session may be on another network now.
    this.#betterFromMs = this.#kept === name ? nowMs : nowMs + REMATCH_PAUSE_MS.first;
    this.#kept = name;
    this.#losses.opened(name, nowMs);
    const others = TRANSPORTS.filter((other) => other !== name && this.#order.includes(other));
    this.#order = [name, ...this.#losses.sorted(others)];
    for (const other of others) this.#runners.delete(other);
  }

  /** Its sessions do not last here: another one begins, the one that has least in common with it. */
  #leave(name: TransportName, nowMs: number): void {
    const surest = TRANSPORTS.filter((other) => this.#order.includes(other)).reverse();
    const order = this.#losses.sorted(surest);
    const [next] = order;
    if (next === undefined || next === name || this.#kept !== name) return;
    this.#order = order;
    this.#kept = null;
    this.#runners.clear();
    this.#rest(nowMs);
    this.#begin(next, nowMs);
  }

  #settle(name: TransportName, nowMs: number): void {
    this.#keep(name, nowMs);
    this.#order = [name];
  }

  #dismiss(name: TransportName, nowMs: number): void {
    this.#runners.delete(name);
    this.#order = this.#order.filter((other) => other !== name);
    if (this.#kept === name) this.#kept = null;
    const [next] = this.#order;
    if (next !== undefined && this.#runners.size === 0) this.#begin(next, nowMs);
  }

  #challenge(nowMs: number): void {
    const next = this.#waiting;
    if (next !== undefined) this.#begin(next, nowMs);
  }

  /** Who starts next if nobody opens a session. */
  get #waiting(): TransportName | undefined {
    return this.#order.find((name) => !this.#runners.has(name));
  }

  /** When the next transport is to start; null: not as things are. */
  #challengeMs(): number | null {
    const runner = [...this.#runners.values()].at(-1);
    if (runner === undefined || this.#waiting === undefined || this.#rematch !== null) return null;
    switch (runner.progress) {
      case 'mute':
      case 'opening':
        return this.#headStartEndMs(runner);
      case 'failed':
        return runner.sinceMs;
      default:
        // While the relay answers nobody, another transport would not be answered either.
        return null;
    }
  }

  #headStartEndMs({ progress, sinceMs, startedMs }: Runner): number {
    // That the relay answers is known from the one before.
    if (this.#runners.size > 1) return startedMs + Math.max(HEAD_START_MS.other, this.#askedMs);
    if (progress === 'mute') return sinceMs + MUTE_MS;
    if (this.#kept !== null) return sinceMs + KEPT_HEAD_START_MS;
    return sinceMs + Math.max(HEAD_START_MS.first, this.#askedMs);
  }
}

function rank(name: TransportName): number {
  return TRANSPORTS.indexOf(name);
}
