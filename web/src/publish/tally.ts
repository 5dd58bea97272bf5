/** Counts and rates of one host; read as part of its status. */

import { MedianMeter, RateMeter } from './meters.ts';
import { type HostCounts, type HostRates, NO_COUNTS } from './status.ts';
import type { SentFrame } from './uplink.ts';

export class Tally {
  readonly counts: HostCounts = { ...NO_COUNTS };
  readonly #in = new RateMeter();
  readonly #encoded = new RateMeter();
  readonly #sent = new RateMeter();
  readonly #bits = new RateMeter();
  readonly #encodeMs = new MedianMeter();
  #sentMs: number | null = null;

  arrived(nowMs: number, changed: boolean): void {
    this.counts.framesIn += 1;
    if (!changed) this.counts.framesUnchanged += 1;
    this.#in.add(nowMs);
  }

  encoded(nowMs: number, encodeMs: number): void {
    this.counts.framesEncoded += 1;
    this.#encoded.add(nowMs);
    this.#encodeMs.add(encodeMs);
  }

  sent(nowMs: number, frame: SentFrame): void {
    const { counts } = this;
    counts.framesSent += 1;
    counts.bytesSent += frame.bytes;
    if (frame.keyframe) counts.keyframesSent += 1;
    if (frame.refinement) counts.refinementsSent += 1;
    this.#sent.add(nowMs);
    this.#bits.add(nowMs, frame.bytes * 8);
    if (this.#sentMs !== null) {
      counts.largestGapMs = Math.max(counts.largestGapMs, nowMs - this.#sentMs);
    }
    this.#sentMs = nowMs;
  }

  /** Sharing ended: the time until it begins again is no gap. */
  paused(): void {
    this.#sentMs = null;
  }

  rates(nowMs: number): Omit<HostRates, 'encoderQueue' | 'uplinkBacklog'> {
    return {
      fpsIn: this.#in.rate(nowMs),
      fpsEncoded: this.#encoded.rate(nowMs),
      fpsSent: this.#sent.rate(nowMs),
      bitsPerSecond: this.#bits.rate(nowMs),
      encodeMs: this.#encodeMs.median,
    };
  }
}
