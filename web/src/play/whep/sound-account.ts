/** What is counted of sound over WebRTC, while connections come and go. */

import type { RelayClock } from '../../session/index.ts';
import type { SoundRecords } from '../sound/records.ts';
import type { SoundFigures, SoundMoment } from './peer.ts';
import { captureUs, SOUND } from './rtp-time.ts';

const NOTHING: SoundFigures = {
  packetsReceived: 0,
  packetsLost: 0,
  samples: 0,
  concealed: 0,
  silent: 0,
  gaps: 0,
};
/** Of the browser's mixer, as it counts them. */
const SAMPLES_PER_MS = 48;
/** Sound that came within it is there; between words nothing is sent. */
const THERE_MS = 10_000;
/** What was given to the output so long ago says nothing of now. */
const HEARD_MS = 500;
/** How much one look counts: each is off by what the browser takes at a time. */
const SHARE = 0.2;

export class SoundAccount {
  readonly #nowMs: () => number;
  #last = NOTHING;
  #total = NOTHING;
  #cameMs = Number.NEGATIVE_INFINITY;
  #delayMs: number | null = null;
  /** As the relay said; null: it did not. */
  #told: boolean | null = null;

  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs;
  }

  /** Whether the broadcast has sound. */
  get there(): boolean {
    return this.#told ?? this.#nowMs() - this.#cameMs < THERE_MS;
  }

  told(there: boolean): void {
    this.#told = there;
  }

  /** Another connection counts from nothing. */
  restart(): void {
    this.#last = NOTHING;
    this.#delayMs = null;
  }

  counted(figures: SoundFigures): void {
    if (figures.packetsReceived > this.#last.packetsReceived) this.#cameMs = this.#nowMs();
    const total = { ...this.#total };
    for (const name of Object.keys(total) as (keyof SoundFigures)[]) {
      total[name] += Math.max(0, figures[name] - this.#last[name]);
    }
    this.#total = total;
    this.#last = figures;
  }

  /** How long after its capture sound is given to the output, milliseconds; null: none is. */
  follow(moment: SoundMoment | null, clock: RelayClock | null): number | null {
    const ageMs = moment === null ? Number.POSITIVE_INFINITY : this.#nowMs() - moment.atMs;
    if (moment === null || clock === null || ageMs > HEARD_MS) {
      this.#delayMs = null;
      return null;
    }
    const heardUs = clock.nowUs() - ageMs * 1_000;
    const delayMs = (heardUs - captureUs(moment.rtpTimestamp, heardUs, SOUND)) / 1_000;
    this.#delayMs =
      this.#delayMs === null ? delayMs : this.#delayMs + (delayMs - this.#delayMs) * SHARE;
    return this.#delayMs;
  }

  /** Null: nothing has come. */
  get records(): SoundRecords | null {
    const { packetsReceived, packetsLost, samples, concealed, silent, gaps } = this.#total;
    if (packetsReceived === 0) return null;
    return {
      framesReceived: packetsReceived,
      framesRepaired: 0,
      framesLost: packetsLost,
      framesLate: 0,
      malformed: 0,
      playedMs: samples / SAMPLES_PER_MS,
      concealedMs: (concealed - silent) / SAMPLES_PER_MS,
      lateMs: 0,
      gaps,
      latencyMs: this.#delayMs,
    };
  }
}
