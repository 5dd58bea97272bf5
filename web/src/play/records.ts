/** What the player counts since the page began; the public figures of {@link PlayerRecords}. */

import type { Report } from '@steadycast/codec-glue';
import type { SoundRecords } from './sound/records.ts';
import { Window } from './window.ts';

/**
 * One shown frame; times are relay clock, microseconds. WebRTC tells no groups: there `group` is 0,
 * `index` counts, and `epoch` is the newest that was heard of.
 */
export interface ShownFrame {
  epoch: number;
  group: number;
  index: number;
  captureUs: number;
  shownUs: number;
}

/** Totals since the page began, unless said otherwise. */
export interface PlayerRecords {
  sessionsOpened: number;
  sessionsClosed: number;
  framesReceived: number;
  bytesReceived: number;
  framesDecoded: number;
  framesShown: number;
  /** Looks at the canvas after the first picture that found nothing on it. */
  blackFrames: number;
  /** How often the canvas was looked at. */
  blackChecks: number;
  /** The canvas was resized, which empties it, and nothing was drawn in the same task. */
  blankResets: number;
  decoderErrors: number;
  keyframeRequests: number;
  /** Streams that the relay reset for newer frames, and times this player skipped by itself. */
  skips: number;
  /** Frames that came after newer ones had replaced them. */
  lateFrames: number;
  /** Streams that broke the protocol. */
  brokenStreams: number;
  /** Decoded too late to be shown; what the browser tells of WebRTC. */
  framesDropped: number;
  /** Packets that never came; WebRTC only, as elsewhere the transport brings them again. */
  packetsLost: number;
  /** From opening the first session to the first picture. */
  firstPictureMs: number | null;
  /** Capture to display of the newest 600 live frames. */
  latencyP50Ms: number | null;
  latencyP95Ms: number | null;
  /** Median of the newest second or so. */
  latencyMs: number | null;
  /** The longest time between two shown frames, whatever the reason. */
  largestGapMs: number;
  /** How long frames are held back at present to be shown evenly. */
  bufferMs: number;
  rttMs: number | null;
  /** `codec`: as WebCodecs has it, or on WebRTC as SDP has it. */
  picture: { width: number; height: number; codec: string } | null;
  /** Since the viewer listens; null: nothing was listened to. */
  sound: SoundRecords | null;
}

/** Those of them that add up. */
export const COUNTERS = [
  'sessionsOpened',
  'sessionsClosed',
  'framesReceived',
  'bytesReceived',
  'framesDecoded',
  'framesShown',
  'blackFrames',
  'blackChecks',
  'blankResets',
  'decoderErrors',
  'keyframeRequests',
  'skips',
  'lateFrames',
  'brokenStreams',
  'framesDropped',
  'packetsLost',
] as const satisfies readonly (keyof PlayerRecords)[];

type Counter = (typeof COUNTERS)[number];

export const NO_RECORDS: PlayerRecords = Object.freeze({
  ...noCounts(),
  firstPictureMs: null,
  latencyP50Ms: null,
  latencyP95Ms: null,
  latencyMs: null,
  largestGapMs: 0,
  bufferMs: 0,
  rttMs: null,
  picture: null,
  sound: null,
});

function noCounts(): Record<Counter, number> {
  return Object.fromEntries(COUNTERS.map((name) => [name, 0])) as Record<Counter, number>;
}

const LATENCY_FRAMES = 600;
const RECENT_FRAMES = 31;
/** Shown frames that wait to be collected. */
const LOG_MAX = 2_000;

export class Records {
  readonly #counts = noCounts();
  readonly #latency = new Window(LATENCY_FRAMES);
  #recent = new Window(RECENT_FRAMES);
  #hidden = false;
  /** Shown while the page was hidden. */
  #unseen = 0;
  #openingMs: number | null = null;
  #firstPictureMs: number | null = null;
  #shownAtMs: number | null = null;
  #largestGapMs = 0;
  #log: ShownFrame[] = [];

  count(counter: Counter, by = 1): void {
    this.#counts[counter] += by;
  }

  get framesShown(): number {
    return this.#counts.framesShown;
  }

  /** The first session begins to open. */
  opening(nowMs: number): void {
    this.#openingMs ??= nowMs;
  }

  /** Nobody sees what is shown while the page is hidden, and it is shown at the browser's leisure. */
  set hidden(hidden: boolean) {
    this.#hidden = hidden;
    this.#recent = new Window(RECENT_FRAMES);
  }

  /** `live`: its latency says something; a frame from the relay's cache is as old as it is. */
  shown(frame: ShownFrame, nowMs: number, live: boolean): void {
    this.#counts.framesShown += 1;
    if (this.#hidden) this.#unseen += 1;
    if (this.#shownAtMs !== null) {
      this.#largestGapMs = Math.max(this.#largestGapMs, nowMs - this.#shownAtMs);
    }
    this.#shownAtMs = nowMs;
    if (this.#openingMs !== null) this.#firstPictureMs ??= nowMs - this.#openingMs;
    this.#log.push(frame);
    if (this.#log.length > LOG_MAX) this.#log.shift();
    if (!live) return;
    const latencyMs = Math.max(0, frame.shownUs - frame.captureUs) / 1_000;
    this.#latency.add(latencyMs);
    this.#recent.add(latencyMs);
  }

  /** The frames shown since the last call. */
  takeLog(): ShownFrame[] {
    const log = this.#log;
    this.#log = [];
    return log;
  }

  /** The totals for the relay; `since` is the report at which the session began. */
  report(since: Report | null): Report {
    const { framesReceived, framesDecoded, blackFrames, decoderErrors } = this.#counts;
    const latencyMs = this.#hidden ? 0 : (this.#recent.percentile(0.5) ?? 0);
    const seen = this.#counts.framesShown - this.#unseen;
    return {
      type: 'report',
      received: framesReceived - (since?.received ?? 0),
      decoded: framesDecoded - (since?.decoded ?? 0),
      shown: seen - (since?.shown ?? 0),
      black: blackFrames - (since?.black ?? 0),
      decoderErrors: decoderErrors - (since?.decoderErrors ?? 0),
      latencyUs: Math.min(0xffff_ffff, Math.round(latencyMs * 1_000)),
    };
  }

  snapshot(extra: Pick<PlayerRecords, 'bufferMs' | 'rttMs' | 'picture' | 'sound'>): PlayerRecords {
    return {
      ...this.#counts,
      ...extra,
      firstPictureMs: this.#firstPictureMs,
      latencyP50Ms: this.#latency.percentile(0.5),
      latencyP95Ms: this.#latency.percentile(0.95),
      latencyMs: this.#recent.percentile(0.5),
      largestGapMs: this.#largestGapMs,
    };
  }
}
