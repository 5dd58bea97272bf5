/** What is counted of sound over WebRTC, while connections come and go. */

import type { RelayClock } from '../../session/index.ts';
import type { SoundRecords } from '../sound/records.ts';
import type { HeardMoment, SoundFigures, SoundMoment } from './peer.ts';
import { captureUs, SOUND } from './rtp-time.ts';

const NOTHING: SoundFigures = {
  packetsReceived: 0,
  packetsLost: 0,
  samples: 0,
  concealed: 0,
  silent: 0,
  gaps: 0,
};
const NAMES = Object.keys(NOTHING) as (keyof SoundFigures)[];
/** Samples of a frame of 20 ms. */
const FRAME = 960;
/** Of the browser's mixer, as it counts them. */
const SAMPLES_PER_MS = 48;
/** Sound that came within it is there; between words nothing is sent. */
const THERE_MS = 10_000;
/** What was given to the output so long ago says nothing of now. */
const HEARD_MS = 500;
/** From what the browser calls its output to the ear, as measured: it pulls sound ahead, and mixes it. */
const HEARD_AFTER_MS = 65;
/** Pauses of speech are shorter. */
const PAUSE_MS = 3_000;
/** So far off is no inexactness. */
const JUMP_MS = 60;
/** Another clock than the relay's would say more, or less than nothing. */
const BELIEVED_MS = 2_000;
/** How much one look counts: each is off by what the browser takes at a time. */
const SHARE = 0.2;

export class SoundAccount {
  readonly #nowMs: () => number;
  #last = NOTHING;
  readonly #total = { ...NOTHING };
  #cameMs = Number.NEGATIVE_INFINITY;
  #delayMs: number | null = null;
  #heardMs = Number.NEGATIVE_INFINITY;
  #heard: HeardMoment | null = null;
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
    this.#heard = null;
  }

  counted(figures: SoundFigures, heard: HeardMoment | null): void {
    this.#heard = heard;
    if (figures.packetsReceived > this.#last.packetsReceived) this.#cameMs = this.#nowMs();
    const passed = { ...NOTHING };
    for (const name of NAMES) passed[name] = Math.max(0, figures[name] - this.#last[name]);
    // Silence that was not sent is filled in as well, and nobody misses anything there.
    const unsent = passed.samples - (passed.packetsReceived + passed.packetsLost) * FRAME;
    passed.concealed = Math.max(0, passed.concealed - passed.silent - Math.max(0, unsent));
    if (passed.concealed === 0) passed.gaps = 0;
    for (const name of NAMES) this.#total[name] += passed[name];
    this.#last = figures;
  }

  /**
   * How long after its capture sound is heard, milliseconds; null: none is. By what its sender reports where the
   * browser tells of it, for the timestamps of sound follow the clock of who captures; else by those.
   */
  follow(moment: SoundMoment | null, clock: RelayClock | null): number | null {
    const nowMs = this.#nowMs();
    const ageMs = moment === null ? Number.POSITIVE_INFINITY : nowMs - moment.atMs;
    if (moment === null || clock === null || ageMs > HEARD_MS) {
      // In pauses of speech nothing comes, and they change nothing about when pictures are shown.
      if (nowMs - this.#heardMs > PAUSE_MS) this.#delayMs = null;
      return this.#delayMs;
    }
    this.#heardMs = nowMs;
    const heardUs = clock.nowUs() - ageMs * 1_000;
    const givenMs = (heardUs - captureUs(moment.rtpTimestamp, heardUs, SOUND)) / 1_000;
    const delayMs = this.#reported(clock) ?? givenMs + HEARD_AFTER_MS;
    const before = this.#delayMs;
    const far = before === null || Math.abs(delayMs - before) > JUMP_MS;
    this.#delayMs = far ? delayMs : before + (delayMs - before) * SHARE;
    return this.#delayMs;
  }

  #reported(clock: RelayClock): number | null {
    if (this.#heard === null) return null;
    const { captureUs: capturedUs, localUs } = this.#heard;
    const delayMs = (clock.relayUs(localUs) - capturedUs) / 1_000;
    return delayMs > 0 && delayMs < BELIEVED_MS ? delayMs : null;
  }

  /** Null: nothing has come. */
  get records(): SoundRecords | null {
    const { packetsReceived, packetsLost, samples, concealed, gaps } = this.#total;
    if (packetsReceived === 0) return null;
    return {
      framesReceived: packetsReceived,
      framesRepaired: 0,
      framesLost: packetsLost,
      framesLate: 0,
      malformed: 0,
      playedMs: samples / SAMPLES_PER_MS,
      concealedMs: concealed / SAMPLES_PER_MS,
      lateMs: 0,
      gaps,
      latencyMs: this.#delayMs,
    };
  }
}
