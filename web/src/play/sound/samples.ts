/** Sound as it is played: samples of 48 kHz, counted on one line from the first that was captured. */

/** What Opus gives, and what the page's sound runs at. */
export const RATE = 48_000;
/** How many channels are played: a single one is played on both. */
export const CHANNELS = 2;

export const samplesOf = (ms: number): number => Math.round((ms * RATE) / 1_000);
export const msOf = (samples: number): number => (samples * 1_000) / RATE;

/** Over how much one sound gives way to another, so that it makes no click. */
export const FADE = samplesOf(5);

/** Decoded sound on its way to the ear. */
export interface Chunk {
  /** Where its first sample is on the line. */
  start: number;
  /** Nothing is missing before it: what lies between is silence that was not sent. */
  begins: boolean;
  /** Another publisher, or another session: nothing of what was before is played any more. */
  restart: boolean;
  /** One channel or two. */
  channels: Float32Array<ArrayBuffer>[];
}
