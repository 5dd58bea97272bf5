/**
 * What this side's uplink carries, from what was given to the session and what the relay says has
 * come of it (PROTOCOL 2.13); pure, the caller brings the time. The browser tells nothing of its
 * connection, and fills whatever queue there is: so no more may be given to it than the path takes.
 */

import { RateMeter } from './meters.ts';

/** A queue that is longer than this makes the picture old. */
const LONG_MS = 150;
/** One that is shorter is none. */
const SHORT_MS = 60;
/** Nothing is encoded while the queue is longer: it would only be older when it comes. */
const FULL_MS = 200;
/**
 * What the path carries is read from this much time in which there always was a queue. In less of it
 * nothing is read: where something held everything up for a moment (a loss, a busy machine), what
 * waited comes at once after it, and what was sent until then says nothing of the path.
 */
const SPAN_MS = 1_000;
const SPAN_MIN_MS = 300;
/** The way has become longer when all frames of so much time say so that met no other, if so many did. */
const LONGER = { withinMs: 30_000, frames: 2 };
/** Where there has been a queue for so long it is let run out once: it may be the way that is longer. */
const STANDS_MS = 10_000;
/** Of what the path carries this much is used once it was too much. */
const CUT = 0.85;
/** Between two cuts: what was cut has to show. */
const CUT_EVERY_MS = 1_000;
/** Growth in a second: fast where there was room before, slow near where there was none. */
const FAST = 0.35;
const SLOW = 0.06;
const NEAR = { from: 0.85, to: 1.1 };
/** A limit of so many times what is wished for is none. */
const ENOUGH = 1.3;
const LEAST_BITS = 120_000;

/** The relay says what has come this often. */
const REPORT_MS = 100;
/** What came in so much time the path carries, whatever was read from a moment of it. */
const PROVED_MS = 2_000;

interface Mark {
  /** Bytes in all. */
  total: number;
  /** By the relay's clock. */
  atMs: number;
}

interface Sent extends Mark {
  /** Nothing else waited when it was sent. */
  alone: boolean;
}

export class Upstream {
  /** Bits a second that are wished for. */
  #wished: number;
  #given = 0;
  #came = 0;
  /** What has not come yet, frame by frame. */
  readonly #waiting: Sent[] = [];
  readonly #way: Way;
  /** What had come when, as long as there is a queue. */
  #reports: Mark[] = [];
  /** What came in the last moments, idle ones included. */
  readonly #arrivals = new RateMeter(PROVED_MS);
  #queueMs = 0;
  /** Since when there has been a queue. */
  #standsMs: number | null = null;
  /** Nothing is to be sent before all has come. */
  #draining = false;
  #limit: number | null = null;
  /** What the path carried when it was last too little. */
  #ceiling = 0;
  #cutMs = Number.NEGATIVE_INFINITY;
  #grownMs: number | null = null;

  /** `wayMs`: how long the way takes, as far as that is known before anything was sent. */
  constructor(wished: number, wayMs: number) {
    this.#wished = wished;
    this.#way = new Way(wayMs);
  }

  set wished(bitsPerSecond: number) {
    this.#wished = bitsPerSecond;
    if (this.#limit !== null && this.#limit >= bitsPerSecond * ENOUGH) this.#limit = null;
  }

  /** Bits a second that may be sent; null: as many as are wished for. */
  get limit(): number | null {
    return this.#limit;
  }

  /** Bits a second that the path has shown to carry, which is less than is tried; null: enough. */
  get carries(): number | null {
    return this.#limit === null ? null : Math.min(this.#limit, this.#ceiling);
  }

  /** How much longer than the way itself takes what was given waits now. */
  get queueMs(): number {
    return this.#queueMs;
  }

  /** Whether another frame would only wait. */
  get full(): boolean {
    if (this.#queueMs > FULL_MS || this.#draining) return true;
    if (this.#limit === null) return false;
    // A queue shows itself as late as it is long. Where it is known what the path carries, what has
    // not come tells sooner.
    const outstandingMs = ((this.#given - this.#came) * 8_000) / this.#ceiling;
    return outstandingMs > FULL_MS + REPORT_MS + this.#way.ms;
  }

  /**
   * A frame was given to the session, by the relay's clock at `relayMs`, as far as it is known: always
   * by the same estimate, for a change of it would look like a queue.
   */
  sent(bytes: number, relayMs: number): void {
    this.#given += bytes;
    const alone = this.#waiting.length === 0;
    this.#waiting.push({ total: this.#given, atMs: relayMs, alone });
  }

  /** `total` bytes have come so far, by the relay's clock at `relayMs`. */
  arrived(total: number, relayMs: number): void {
    if (total <= this.#came) return;
    this.#arrivals.add(relayMs, (total - this.#came) * 8);
    this.#came = total;
    while (this.#waiting[0] !== undefined && this.#waiting[0].total <= total) {
      const { atMs, alone } = this.#waiting[0];
      this.#way.took(relayMs - atMs, alone, relayMs);
      this.#waiting.shift();
    }
    const oldest = this.#waiting[0];
    this.#queueMs = oldest === undefined ? 0 : Math.max(0, relayMs - oldest.atMs - this.#way.ms);
    if (this.#queueMs <= SHORT_MS) this.#empty();
    else this.#stand(total, relayMs);
    while ((this.#reports[1]?.atMs ?? relayMs) <= relayMs - SPAN_MS) this.#reports.shift();
    this.#follow(relayMs);
  }

  #empty(): void {
    this.#reports = [];
    this.#standsMs = null;
    this.#draining &&= this.#waiting.length > 0;
  }

  #stand(total: number, relayMs: number): void {
    this.#reports.push({ total, atMs: relayMs });
    this.#standsMs ??= relayMs;
    this.#draining ||= relayMs - this.#standsMs > STANDS_MS;
  }

  #follow(nowMs: number): void {
    this.#prove(nowMs);
    if (this.#queueMs > LONG_MS) this.#cut(nowMs);
    else if (this.#queueMs < SHORT_MS) this.#grow(nowMs);
    else this.#grownMs = null;
  }

  /** Losses hold up what is there already: for a moment less seems to come than the path carries. */
  #prove(nowMs: number): void {
    if (this.#limit === null || nowMs - this.#cutMs < PROVED_MS) return;
    const proved = this.#arrivals.rate(nowMs);
    this.#limit = Math.max(this.#limit, proved * CUT);
    this.#ceiling = Math.max(this.#ceiling, proved);
  }

  #cut(nowMs: number): void {
    this.#grownMs = null;
    if (nowMs - this.#cutMs < CUT_EVERY_MS) return;
    const carries = this.#measured();
    if (carries === null) return;
    const limit = Math.max(LEAST_BITS, carries * CUT);
    // One large frame on a path that carries all the others is no reason.
    if (limit >= Math.min(this.#wished * ENOUGH, this.#limit ?? Number.POSITIVE_INFINITY)) return;
    this.#cutMs = nowMs;
    this.#ceiling = carries;
    this.#limit = limit;
  }

  #grow(nowMs: number): void {
    const sinceMs = Math.max(this.#grownMs ?? nowMs, this.#cutMs + CUT_EVERY_MS);
    this.#grownMs = nowMs;
    if (this.#limit === null || nowMs <= sinceMs) return;
    const near = this.#limit > this.#ceiling * NEAR.from && this.#limit < this.#ceiling * NEAR.to;
    this.#limit *= (1 + (near ? SLOW : FAST)) ** ((nowMs - sinceMs) / 1_000);
    if (this.#limit >= this.#wished * ENOUGH) this.#limit = null;
  }

  /** Bits a second while there was a queue; null: not known. */
  #measured(): number | null {
    const [first] = this.#reports;
    const last = this.#reports.at(-1);
    if (first === undefined || last === undefined) return null;
    const spanMs = last.atMs - first.atMs;
    return spanMs < SPAN_MIN_MS ? null : ((last.total - first.total) * 8_000) / spanMs;
  }
}

/**
 * How long the way takes without a queue: no longer than for the fastest frame so far, and at first
 * than half a round trip, for the first keyframe may take seconds on its own. What takes longer after
 * that tells nothing where others waited before it: a queue that stands would become part of the way.
 */
class Way {
  #ms: number;
  #alone: { ms: number; atMs: number }[] = [];

  constructor(ms: number) {
    this.#ms = ms;
  }

  get ms(): number {
    return this.#ms;
  }

  /** A frame took so long, and met no other. */
  took(ms: number, alone: boolean, nowMs: number): void {
    this.#ms = Math.min(this.#ms, ms);
    if (!alone) return;
    this.#alone.push({ ms, atMs: nowMs });
    this.#alone = this.#alone.filter(({ atMs }) => atMs > nowMs - LONGER.withinMs);
    if (this.#alone.length < LONGER.frames) return;
    this.#ms = Math.max(this.#ms, Math.min(...this.#alone.map((one) => one.ms)));
  }
}
