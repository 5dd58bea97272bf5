/**
 * When a decoded frame is shown. Live frames are shown as they come. When frames come in a rush,
 * after a join or a stall, all are decoded and only the newest is shown; but a page without any
 * picture does not stay so while a long group is decoded.
 */

/** What pacing knows of a frame. */
export interface Timing {
  epoch: number;
  captureUs: number;
  /** Part of a rush: received much faster than it was captured. */
  rushed: boolean;
}

export type Decision =
  | { action: 'draw' }
  | { action: 'drop' }
  /** Draw after `ms`; `alone`: unless a newer frame comes first. */
  | { action: 'hold'; ms: number; alone: boolean };

/** A frame this far behind the newest received one is not worth showing. */
const LAG_US = 100_000;
/** Once frames are withheld, they are until the newest is this near: no fast-forward at the end. */
const CAUGHT_UP_US = 40_000;
/** How long the last frame of a rush waits for one more. */
const SETTLE_MS = 40;
/** Whatever happens, a picture is shown this often while frames are decoded. */
const STARVING_MS = 500;
/** Before the first picture anything is better than nothing: one that is near, then the newest. */
const BLANK_MS = 50;
/** A publisher that is back: its first picture is news even when it is this far behind its newest. */
const RETURN_US = 1_000_000;
/** Captured within this of the frame before: a keyframe that shows nothing new (PROTOCOL 4.11). */
const SAME_US = 1_000;
const RUSH_WINDOW = 5;
const RUSH_SLACK_US = 50_000;

interface Arrival {
  captureUs: number;
  atMs: number;
}

export class Pacing {
  #arrivals: Arrival[] = [];
  #newest: { epoch: number; captureUs: number } | null = null;
  #shown: { epoch: number; captureUs: number } | null = null;
  /** The newest received keyframe that is there to be decoded only. */
  #unseenUs: number | null = null;
  /** Since when frames were decoded but not shown. */
  #withheldMs: number | null = null;
  /** Nothing of this session was shown yet: its times may have nothing to do with the last one's. */
  #restarted = true;

  /** A new session: what it sends first was captured before. The shown picture stays the newest. */
  restart(): void {
    this.#arrivals = [];
    this.#newest = null;
    this.#withheldMs = null;
    this.#restarted = true;
  }

  /** Called for every received frame, in order. */
  received(epoch: number, captureUs: number, nowMs: number): Timing {
    if (this.#newest === null || this.#newest.epoch !== epoch) {
      this.#arrivals = [];
      this.#newest = { epoch, captureUs };
    }
    const aheadUs = captureUs - this.#newest.captureUs;
    if (aheadUs > 0 && aheadUs < SAME_US) this.#unseenUs = captureUs;
    this.#newest.captureUs = Math.max(this.#newest.captureUs, captureUs);
    this.#arrivals.push({ captureUs, atMs: nowMs });
    if (this.#arrivals.length > RUSH_WINDOW) this.#arrivals.shift();
    return { epoch, captureUs, rushed: this.#inRush(captureUs, nowMs) };
  }

  /** Called for every decoded frame, in order. `dueMs`: how long the jitter buffer asks to wait. */
  decide(frame: Timing, nowMs: number, dueMs: number): Decision {
    // Another track may be a little behind the one that was shown: no picture goes back in time.
    if (this.#isOlder(frame) && !this.#restarted) return { action: 'drop' };
    const decision = this.#judge(frame, dueMs);
    if (decision.action === 'draw' || this.#isReturn(frame)) return { action: 'draw' };
    this.#withheldMs ??= nowMs;
    const patienceMs = this.#shown === null ? BLANK_MS : STARVING_MS;
    return nowMs - this.#withheldMs >= patienceMs ? { action: 'draw' } : decision;
  }

  /** Called when a frame was drawn. */
  drawn({ epoch, captureUs }: Timing): void {
    this.#shown = { epoch, captureUs };
    this.#withheldMs = null;
    this.#restarted = false;
  }

  #judge(frame: Timing, dueMs: number): Decision {
    if (this.#isOlder(frame)) return { action: 'drop' };
    const newest = this.#newest?.epoch === frame.epoch ? this.#newest.captureUs : 0;
    const lagUs = this.#withheldMs === null ? LAG_US : CAUGHT_UP_US;
    if (newest - frame.captureUs > lagUs) return { action: 'drop' };
    if (frame.rushed) return { action: 'hold', ms: SETTLE_MS, alone: true };
    return dueMs > 0 ? { action: 'hold', ms: dueMs, alone: false } : { action: 'draw' };
  }

  #isOlder({ epoch, captureUs }: Timing): boolean {
    if (this.#shown?.epoch !== epoch) return false;
    return captureUs < this.#shown.captureUs || captureUs === this.#unseenUs;
  }

  /** The held picture is another epoch's: the first of this one ends the wait. */
  #isReturn({ epoch, captureUs }: Timing): boolean {
    if (this.#shown === null || this.#shown.epoch === epoch) return false;
    return this.#newest?.epoch === epoch && this.#newest.captureUs - captureUs <= RETURN_US;
  }

  #inRush(captureUs: number, nowMs: number): boolean {
    const first = this.#arrivals[0];
    if (first === undefined) return false;
    const arrivalUs = (nowMs - first.atMs) * 1_000;
    return captureUs - first.captureUs > 2 * arrivalUs + RUSH_SLACK_US;
  }
}
