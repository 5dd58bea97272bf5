/**
 * Which decoded frames are shown, and when; pure. Live frames are shown at their time, and late ones
 * one after the other as fast as the display takes them. When frames come in a long rush, after a
 * join or a stall, all are decoded and only the newest is shown; but a page without any picture does
 * not stay so while a long group is decoded.
 */

/** What pacing knows of a frame. */
export interface Timing {
  epoch: number;
  captureUs: number;
  /** Much later than usual, or from before this player came. */
  far: boolean;
  /** Such a one that is part of a rush: received much faster than it was captured. */
  rushed: boolean;
}

/** What play-out asks for at present. */
export interface Wait {
  /** Until the frame is due; 0 or less: it is. */
  dueInMs: number;
  /** How long the fastest frames are held back; so far behind is nobody late. */
  bufferMs: number;
}

export type Decision =
  | { action: 'drop' }
  /** Draw after `ms`, and after all that was to be shown before. */
  | { action: 'show'; ms: number }
  /** Draw after `ms` unless a newer frame comes first. */
  | { action: 'settle'; ms: number };

/** A frame so far behind the newest received one is not worth showing: delay must not grow. */
const LAG_US = 500_000;
/** Of what is far from live, less is enough. */
const FAR_LAG_US = 100_000;
/** Once frames are withheld, they are until the newest is this near: no fast-forward at the end. */
const CAUGHT_UP_US = 40_000;
/** Frames this far behind are being caught up with; a display that cannot do so in time skips. */
const BEHIND_US = 70_000;
const BEHIND_MS = 600;
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
/** Frames that are no later than this are a repaired loss, and worth seeing. */
const FAR_MS = 500;

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
  /** Since when shown frames were behind. */
  #behindMs: number | null = null;
  /** Nothing of this session was shown yet: its times may have nothing to do with the last one's. */
  #restarted = true;

  /** A new session: what it sends first was captured before. The shown picture stays the newest. */
  restart(): void {
    this.#arrivals = [];
    this.#newest = null;
    this.#withheldMs = null;
    this.#behindMs = null;
    this.#restarted = true;
  }

  /** Called for every received frame, in order. `lateMs`: against the usual; null: not known. */
  received(epoch: number, captureUs: number, nowMs: number, lateMs: number | null): Timing {
    if (this.#newest === null || this.#newest.epoch !== epoch) {
      this.#arrivals = [];
      this.#newest = { epoch, captureUs };
    }
    const aheadUs = captureUs - this.#newest.captureUs;
    if (aheadUs > 0 && aheadUs < SAME_US) this.#unseenUs = captureUs;
    this.#newest.captureUs = Math.max(this.#newest.captureUs, captureUs);
    this.#arrivals.push({ captureUs, atMs: nowMs });
    if (this.#arrivals.length > RUSH_WINDOW) this.#arrivals.shift();
    const far = lateMs === null || lateMs > FAR_MS;
    return { epoch, captureUs, far, rushed: far && this.#inRush(captureUs, nowMs) };
  }

  /** Whether the frame is too far behind to be shown; it may still have to be decoded. */
  isHopeless(frame: Timing, nowMs: number, bufferMs: number): boolean {
    if (this.#newest?.epoch !== frame.epoch) return false;
    const behind = this.#behindMs !== null && nowMs - this.#behindMs >= BEHIND_MS;
    const usualUs = behind ? CAUGHT_UP_US : LAG_US;
    const lagUs = this.#withheldMs !== null ? CAUGHT_UP_US : frame.far ? FAR_LAG_US : usualUs;
    return this.#newest.captureUs - frame.captureUs > lagUs + bufferMs * 1_000;
  }

  /** Called for every decoded frame, in order. */
  decide(frame: Timing, nowMs: number, wait: Wait): Decision {
    // Another track may be a little behind the one that was shown: no picture goes back in time.
    if (this.#isOlder(frame) && !this.#restarted) return { action: 'drop' };
    const decision = this.#judge(frame, nowMs, wait);
    if (decision.action === 'show') return decision;
    if (this.#isReturn(frame)) return { action: 'show', ms: 0 };
    this.#withheldMs ??= nowMs;
    const patienceMs = this.#shown === null ? BLANK_MS : STARVING_MS;
    return nowMs - this.#withheldMs >= patienceMs ? { action: 'show', ms: 0 } : decision;
  }

  /** Called when a frame was drawn. */
  drawn({ epoch, captureUs }: Timing, nowMs: number, bufferMs: number): void {
    const newest = this.#newest?.epoch === epoch ? this.#newest.captureUs : captureUs;
    if (newest - captureUs <= BEHIND_US + bufferMs * 1_000) this.#behindMs = null;
    else this.#behindMs ??= nowMs;
    this.#shown = { epoch, captureUs };
    this.#withheldMs = null;
    this.#restarted = false;
  }

  #judge(frame: Timing, nowMs: number, { dueInMs, bufferMs }: Wait): Decision {
    if (this.#isOlder(frame)) return { action: 'drop' };
    if (this.isHopeless(frame, nowMs, bufferMs)) return { action: 'drop' };
    if (frame.rushed) return { action: 'settle', ms: SETTLE_MS };
    return { action: 'show', ms: Math.max(0, dueInMs) };
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
