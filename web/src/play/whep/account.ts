/** What is counted of the picture while connections come and go. */

import type { RelayClock } from '../../session/index.ts';
import { type PlayerRecords, Records } from '../records.ts';
import type { SoundRecords } from '../sound/records.ts';
import type { Arrival } from './hold.ts';
import type { Figures } from './peer.ts';
import { captureUs } from './rtp-time.ts';
import type { VideoFrameFacts } from './video.ts';

/** One connection's part. */
export interface Share {
  /** What it had counted when last asked. */
  figures: Figures | null;
  /** The relay's time when its first frame was there. */
  firstUs: number | null;
}

/** Between looks at the picture while frames are shown, and while none are. */
const LOOK_EVERY_MS = 500;
const IDLE_LOOK_MS = 2_000;
/** Frames that bring a joiner up to date tell a time just before now; so old they were not. */
const JOIN_US = 300_000;

const COUNTED = [
  'framesReceived',
  'framesDecoded',
  'bytesReceived',
  'framesDropped',
  'packetsLost',
] as const;

export class Account {
  readonly records = new Records();
  /** Outlives its session: what is shown meanwhile still has a time. */
  clock: RelayClock | null = null;
  epoch = 0;
  readonly #look: () => boolean | null;
  #size: { width: number; height: number } | null = null;
  #codec: string | null = null;
  #rttMs: number | null = null;
  #lookedMs = 0;
  #newest: Share | null = null;

  /** `look`: whether nothing is to be seen; null: there is no picture yet. */
  constructor(look: () => boolean | null) {
    this.#look = look;
    this.records.opening(performance.now());
  }

  share(): Share {
    return { figures: null, firstUs: null };
  }

  get pictured(): boolean {
    return this.#size !== null;
  }

  /** Whether the frame was captured after the connection's first one came. */
  isCurrent(share: Share, { rtpTimestamp }: VideoFrameFacts): boolean {
    if (this.clock === null || rtpTimestamp === null) return true;
    const nowUs = this.clock.nowUs();
    share.firstUs ??= nowUs;
    return captureUs(rtpTimestamp, nowUs) > share.firstUs;
  }

  /** How a frame came, if it was captured since the connection is there; null: not told. */
  arrival({ firstUs }: Share, { rtpTimestamp, receivedMs }: VideoFrameFacts): Arrival | null {
    const { clock } = this;
    if (clock === null || rtpTimestamp === null || firstUs === null) return null;
    const capturedUs = captureUs(rtpTimestamp, clock.nowUs());
    if (capturedUs <= firstUs + JOIN_US) return null;
    const nowMs = performance.now();
    return { captureMs: nowMs - (clock.nowUs() - capturedUs) / 1_000, receivedMs };
  }

  shown(share: Share, { width, height, rtpTimestamp }: VideoFrameFacts): void {
    const nowMs = performance.now();
    const special =
      this.#newest !== share || this.#size?.width !== width || this.#size.height !== height;
    this.#newest = share;
    this.#size = { width, height };
    const shownUs = this.clock?.nowUs() ?? 0;
    share.firstUs ??= shownUs;
    const timed = this.clock !== null && rtpTimestamp !== null;
    const capturedUs = timed ? captureUs(rtpTimestamp, shownUs) : shownUs;
    const live = timed && capturedUs > share.firstUs + JOIN_US;
    const index = this.records.framesShown;
    const frame = { epoch: this.epoch, group: 0, index, captureUs: capturedUs, shownUs };
    this.records.shown(frame, nowMs, live);
    if (special) this.#lookNow(nowMs);
    else this.look(LOOK_EVERY_MS);
  }

  /** Looks whether there is still a picture, unless it did within `everyMs`. */
  look(everyMs = IDLE_LOOK_MS): void {
    const nowMs = performance.now();
    if (nowMs - this.#lookedMs >= everyMs) this.#lookNow(nowMs);
  }

  /** Takes a connection's counts; returns whether it has decoded anything since the last ones. */
  counted(share: Share, figures: Figures): boolean {
    const last = share.figures;
    share.figures = figures;
    for (const name of COUNTED) {
      this.records.count(name, Math.max(0, figures[name] - (last?.[name] ?? 0)));
    }
    this.#codec = figures.codec ?? this.#codec;
    this.#rttMs = figures.rttMs;
    return figures.framesDecoded > (last?.framesDecoded ?? 0);
  }

  snapshot(bufferMs: number, connected: boolean, sound: SoundRecords | null): PlayerRecords {
    return this.records.snapshot({
      bufferMs,
      sound,
      rttMs: connected ? this.#rttMs : null,
      picture: this.#size && { ...this.#size, codec: this.#codec ?? '' },
    });
  }

  #lookNow(nowMs: number): void {
    const blank = this.#look();
    if (blank === null) return;
    this.#lookedMs = nowMs;
    this.records.count('blackChecks');
    if (blank) this.records.count('blackFrames');
  }
}
