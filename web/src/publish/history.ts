/** The figures of the last minute, for charts; pure. */

import type { HostStatus } from './status.ts';

export interface Sample {
  atMs: number;
  fps: number;
  bitsPerSecond: number;
  encodeMs: number;
  rttMs: number;
  players: number;
}

const INTERVAL_MS = 900;
const SAMPLES = 60;

export class History {
  #samples: readonly Sample[] = [];

  get samples(): readonly Sample[] {
    return this.#samples;
  }

  add(nowMs: number, { rates, rttMs, players }: HostStatus): void {
    const last = this.#samples.at(-1);
    if (last !== undefined && nowMs - last.atMs < INTERVAL_MS) return;
    const sample = {
      atMs: nowMs,
      fps: rates.fpsSent,
      bitsPerSecond: rates.bitsPerSecond,
      encodeMs: rates.encodeMs ?? 0,
      rttMs: rttMs ?? 0,
      players,
    };
    this.#samples = [...this.#samples, sample].slice(-SAMPLES);
  }
}
