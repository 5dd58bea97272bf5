/** A tone over a path, and a browser that asks for samples, on virtual time; for tests of what is heard. */

import type { PlayoutMode } from '../spread.ts';
import { SoundPlayer } from './player.ts';
import { type Chunk, RATE } from './samples.ts';

/** A frame of 20 ms on its way. */
export interface Sent {
  chunk: Chunk;
  /** When it is decoded, in the browser's samples. */
  at: number;
}

export const FRAME = 960;
/** How much of what was heard is kept: a few minutes, in whole bursts. */
const KEPT = 2 ** 23;

export interface Source {
  seconds: number;
  /** When its first frame arrives. */
  fromMs?: number;
  /** Where its first sample is on the line. */
  start?: number;
  hz?: number;
  /** How many samples it makes in a second of the browser's. */
  rate?: number;
  /** What a frame's way takes beyond the shortest, in ms; null: it is lost. */
  way?: (index: number) => number | null;
}

export const LOUD = 0.5;
/** The most by which a tone of this height changes from sample to sample. */
export const slopeOf = (hz: number): number => (LOUD * 2 * Math.PI * hz) / RATE;

export function tone(source: Source): Sent[] {
  const { seconds, fromMs = 0, start = 0, hz = 440, rate = RATE, way = () => 0 } = source;
  const sent: Sent[] = [];
  for (let index = 0; index * FRAME < seconds * rate; index += 1) {
    const lateMs = way(index);
    if (lateMs === null) continue;
    const first = start + index * FRAME;
    const samples = frameOf(hz, first);
    const begins = index === 0;
    const chunk = { start: first, begins, restart: begins, channels: [samples] };
    // A frame is whole when its last sample was made.
    const made = ((index + 1) * FRAME * RATE) / rate;
    sent.push({ chunk, at: ((fromMs + lateMs) * RATE) / 1_000 + made });
  }
  return sent;
}

export interface Heard {
  player: SoundPlayer;
  /** The left channel, of the newest minutes. */
  samples: Float32Array;
}

export interface Hearing {
  mode?: PlayoutMode;
  /** How many samples the browser asks for at a time. */
  burst?: number;
  seconds: number;
  /** Between two bursts. */
  each?: (player: SoundPlayer, frame: number) => void;
}

const FRAMES = new Map<string, Float32Array<ArrayBuffer>>();

/** A frame of a tone; those that are the same are made once. */
function frameOf(hz: number, first: number): Float32Array<ArrayBuffer> {
  const phase = (hz * first) % RATE;
  const key = `${hz} ${phase}`;
  const made =
    FRAMES.get(key) ??
    Float32Array.from({ length: FRAME }, (_, at) => {
      return LOUD * Math.sin((2 * Math.PI * (phase + hz * at)) / RATE);
    });
  FRAMES.set(key, made);
  return made;
}

/** What is heard of it. `sent` is in the order of arrival from here on. */
export function hear(sent: readonly Sent[], hearing: Hearing): Heard {
  const { mode = 'live', burst = 512, seconds, each } = hearing;
  const coming = sent.toSorted((one, other) => one.at - other.at);
  const player = new SoundPlayer(mode);
  const frames = Math.ceil((seconds * RATE) / burst) * burst;
  const samples = new Float32Array(Math.min(frames, KEPT));
  const output = [new Float32Array(128), new Float32Array(128)];
  let next = 0;
  for (let frame = 0; frame < frames; frame += burst) {
    for (let one = coming[next]; one !== undefined && one.at <= frame; one = coming[next]) {
      player.take(one.chunk);
      next += 1;
    }
    for (let part = 0; part < burst; part += 128) {
      player.render(output, frame + part);
      samples.set(output[0] ?? [], (frame + part) % KEPT);
    }
    each?.(player, frame);
  }
  return { player, samples };
}

/** The largest change from one sample to the next. */
export function largestStep(samples: Float32Array, from = 0, to = samples.length): number {
  let largest = 0;
  for (let at = from + 1; at < to; at += 1) {
    largest = Math.max(largest, Math.abs((samples[at] ?? 0) - (samples[at - 1] ?? 0)));
  }
  return largest;
}

/** How strong a tone is in it, from 0 to its loudness. */
export function strengthOf(hz: number, samples: Float32Array): number {
  let [real, imaginary] = [0, 0];
  for (const [at, sample] of samples.entries()) {
    const angle = (2 * Math.PI * hz * at) / RATE;
    real += sample * Math.cos(angle);
    imaginary += sample * Math.sin(angle);
  }
  return (2 * Math.hypot(real, imaginary)) / samples.length;
}
