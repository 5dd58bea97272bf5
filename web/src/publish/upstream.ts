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
/** The fastest frames of so much time say how long the way takes without a queue. */
const BASE_MS = 20_000;
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

/** What came in so much time the path carries, whatever was read from a moment of it. */
const PROVED_MS = 2_000;

interface Mark {
  /** Bytes in all. */
  total: number;
  /** By the relay's clock. */
  atMs: number;
}

export class Upstream {
  /** Bits a second that are wished for. */
  #wished: number;
  #given = 0;
  #came = 0;
  /** What has not come yet, frame by frame. */
  readonly #waiting: Mark[] = [];
  /** How long frames took lately. */
  readonly #ways = new Least(BASE_MS);
  /** What had come when, as long as there is a queue. */
  #reports: Mark[] = [];
  /** What came in the last moments, idle ones included. */
  readonly #arrivals = new RateMeter(PROVED_MS);
  #queueMs = 0;
  #limit: number | null = null;
  /** What the path carried when it was last too little. */
  #ceiling = 0;
  #cutMs = Number.NEGATIVE_INFINITY;
  #grownMs: number | null = null;

  constructor(wished: number) {
    this.#wished = wished;
  }

  set wished(bitsPerSecond: number) {
    this.#wished = bitsPerSecond;
    if (this.#limit !== null && this.#limit >= bitsPerSecond * ENOUGH) this.#limit = null;
  }

  /** Bits a second that may be sent; null: as many as are wished for. */
  get limit(): number | null {
    return this.#limit;
  }

  /** How much longer than the way itself takes what was given waits now. */
  get queueMs(): number {
    return this.#queueMs;
  }

  /** Whether another frame would only wait. */
  get full(): boolean {
    return this.#queueMs > FULL_MS;
  }

  /**
   * A frame was given to the session, by the relay's clock at `relayMs`, as far as it is known: always
   * by the same estimate, for a change of it would look like a queue.
   */
  sent(bytes: number, relayMs: number): void {
    this.#given += bytes;
    this.#waiting.push({ total: this.#given, atMs: relayMs });
  }

  /** `total` bytes have come so far, by the relay's clock at `relayMs`. */
  arrived(total: number, relayMs: number): void {
    if (total <= this.#came) return;
    this.#arrivals.add(relayMs, (total - this.#came) * 8);
    this.#came = total;
    let newest: Mark | undefined;
    while (this.#waiting[0] !== undefined && this.#waiting[0].total <= total) {
      newest = this.#waiting.shift();
    }
    if (newest !== undefined) this.#ways.add(relayMs - newest.atMs, relayMs);
    const oldest = this.#waiting[0];
    const baseMs = this.#ways.value ?? 0;
    this.#queueMs = oldest === undefined ? 0 : Math.max(0, relayMs - oldest.atMs - baseMs);
    if (this.#queueMs <= SHORT_MS) this.#reports = [];
    else this.#reports.push({ total, atMs: relayMs });
    while ((this.#reports[1]?.atMs ?? relayMs) <= relayMs - SPAN_MS) this.#reports.shift();
    this.#follow(relayMs);
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
    const carries = this.#carries();
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
  #carries(): number | null {
    const [first] = this.#reports;
    const last = this.#reports.at(-1);
    if (first === undefined || last === undefined) return null;
    const spanMs = last.atMs - first.atMs;
    return spanMs < SPAN_MIN_MS ? null : ((last.total - first.total) * 8_000) / spanMs;
  }
}

/** The least value of the last moments. */
class Least {
  readonly #windowMs: number;
  /** Values that rise, the oldest first: what is not less than a newer one is never asked for. */
  readonly #values: { value: number; atMs: number }[] = [];

  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  add(value: number, nowMs: number): void {
    while ((this.#values.at(-1)?.value ?? Number.NEGATIVE_INFINITY) >= value) this.#values.pop();
    this.#values.push({ value, atMs: nowMs });
    while ((this.#values[0]?.atMs ?? nowMs) <= nowMs - this.#windowMs) this.#values.shift();
  }

  /** Null before the first. */
  get value(): number | null {
    return this.#values[0]?.value ?? null;
  }
}
