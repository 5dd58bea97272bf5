/** The figures of the last five minutes, for charts: each second of the last one, before that means; pure. */

import type { HostStatus } from './status.ts';

export interface Sample {
  atMs: number;
  fps: number;
  bitsPerSecond: number;
  encodeMs: number;
  rttMs: number;
  players: number;
}

export const MINUTE_MS = 60_000;
/** How far back it goes. */
export const HISTORY_MS = 5 * MINUTE_MS;
const INTERVAL_MS = 900;
/** Older than a minute, so much is one sample. */
const COARSE_MS = 5_000;

export class History {
  #recent: readonly Sample[] = [];
  #old: readonly Sample[] = [];
  /** What has left the last minute and is no mean yet. */
  #leaving: readonly Sample[] = [];
  #samples: readonly Sample[] = [];

  /** Oldest first. */
  get samples(): readonly Sample[] {
    return this.#samples;
  }

  add(nowMs: number, { rates, rttMs, players }: HostStatus): void {
    const last = this.#recent.at(-1);
    if (last !== undefined && nowMs - last.atMs < INTERVAL_MS) return;
    const sample = {
      atMs: nowMs,
      fps: rates.fpsSent,
      bitsPerSecond: rates.bitsPerSecond,
      encodeMs: rates.encodeMs ?? 0,
      rttMs: rttMs ?? 0,
      players,
    };
    const isRecent = ({ atMs }: Sample) => nowMs - atMs < MINUTE_MS;
    const left = this.#recent.filter((one) => !isRecent(one));
    this.#recent = [...this.#recent.filter(isRecent), sample];
    for (const one of left) this.#retire(one);
    const isKept = ({ atMs }: Sample) => nowMs - atMs < HISTORY_MS;
    this.#old = this.#old.filter(isKept);
    this.#leaving = this.#leaving.filter(isKept);
    this.#samples = [...this.#old, ...this.#leaving, ...this.#recent];
  }

  #retire(sample: Sample): void {
    const first = this.#leaving[0];
    const sameMean = first === undefined || sample.atMs - first.atMs < COARSE_MS;
    if (!sameMean) this.#old = [...this.#old, mean(this.#leaving)];
    this.#leaving = sameMean ? [...this.#leaving, sample] : [sample];
  }
}

/** Of at least one sample; as old as the last of them. */
function mean(samples: readonly Sample[]): Sample {
  const of = (pick: (sample: Sample) => number) =>
    samples.reduce((sum, sample) => sum + pick(sample), 0) / samples.length;
  return {
    atMs: samples.at(-1)?.atMs ?? 0,
    fps: of(({ fps }) => fps),
    bitsPerSecond: of(({ bitsPerSecond }) => bitsPerSecond),
    encodeMs: of(({ encodeMs }) => encodeMs),
    rttMs: of(({ rttMs }) => rttMs),
    players: of(({ players }) => players),
  };
}
