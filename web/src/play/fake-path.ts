/** A path, a decoder and a display on virtual time, for tests of play-out. */

import type { Frame } from '@steadycast/codec-glue';
import type { DecoderLike } from './decoder.ts';
import { Playout } from './playout.ts';
import { Records } from './records.ts';
import type { PlayoutMode } from './spread.ts';
import type { Timers } from './timers.ts';

/** A clock that runs only as far as it is told; what is due at the same time keeps its order. */
export class VirtualTime implements Timers {
  #nowMs = 0;
  #sequence = 0;
  #events = new Map<number, { atMs: number; run: () => void }>();
  /** Between two pictures of the display; null: none are shown, the page is hidden. */
  displayMs: number | null = 1_000 / 60;
  phaseMs = 0;

  nowMs(): number {
    return this.#nowMs;
  }

  after(ms: number, run: () => void): () => void {
    this.#sequence += 1;
    const id = this.#sequence;
    this.#events.set(id, { atMs: this.#nowMs + ms, run });
    return () => void this.#events.delete(id);
  }

  frame = (run: () => void): void => {
    if (this.displayMs === null) return;
    const since = this.#nowMs - this.phaseMs;
    const next = (Math.floor(since / this.displayMs + 1e-6) + 1) * this.displayMs + this.phaseMs;
    this.after(next - this.#nowMs, run);
  };

  /** Whether something is to happen yet. */
  get waiting(): number {
    return this.#events.size;
  }

  runUntil(endMs: number): void {
    for (;;) {
      let first: [number, { atMs: number; run: () => void }] | null = null;
      for (const entry of this.#events) {
        if (first === null || entry[1].atMs < first[1].atMs) first = entry;
      }
      if (first === null || first[1].atMs > endMs) break;
      this.#events.delete(first[0]);
      this.#nowMs = Math.max(this.#nowMs, first[1].atMs);
      first[1].run();
    }
    this.#nowMs = endMs;
  }
}

/** Numbers from 0 to 1 that are the same for the same seed (mulberry32). */
export function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export interface Path {
  rttMs: number;
  /** Share of packets lost, repairs included. */
  loss?: number;
  /** Added to each frame, from 0 to this. */
  jitterMs?: number;
  /** Nothing comes for so long. */
  stall?: { atMs: number; ms: number };
  /** How much faster the publisher's clock runs, parts per million. */
  driftPpm?: number;
  seconds: number;
  seed: number;
  framesPerSecond?: number;
}

export interface FrameArrival {
  captureMs: number;
  arrivalMs: number;
  keyframe: boolean;
  group: number;
  index: number;
}

const PACKETS = 7;
const GROUP_FRAMES = 500;
const ENCODE_MS = 10;

/**
 * When a sender knows of a loss beyond the round trip (RFC 9002): by three later packets, by a later
 * one and an eighth of the round trip, or by those of the next frame.
 */
function detectionMs(later: number, rttMs: number, everyMs: number): number {
  if (later >= 3) return 1;
  return later > 0 ? rttMs / 8 : everyMs;
}

/**
 * Frames as a stream in order brings them: a lost packet holds back everything behind it until it
 * is repaired a round trip later, and a new group's stream does not wait for the old one's.
 */
export function frameArrivals(path: Path): FrameArrival[] {
  const { rttMs, loss = 0, jitterMs = 0, stall, driftPpm = 0, seconds, seed } = path;
  const next = random(seed);
  const everyMs = 1_000 / (path.framesPerSecond ?? 30);
  const arrivals: FrameArrival[] = [];
  let heldUntilMs = 0;
  for (let at = 0; at < (seconds * 1_000) / everyMs; at += 1) {
    const index = at % GROUP_FRAMES;
    if (index === 0) heldUntilMs = 0;
    const trueMs = at * everyMs;
    let arrivalMs = trueMs + ENCODE_MS + rttMs / 2 + next() * jitterMs;
    for (let packet = 0; packet < PACKETS; packet += 1) {
      const toldMs = detectionMs(PACKETS - 1 - packet, rttMs, everyMs);
      let lateMs = 0;
      while (next() < loss) lateMs += rttMs + (lateMs === 0 ? toldMs : 0);
      arrivalMs = Math.max(arrivalMs, trueMs + ENCODE_MS + rttMs / 2 + lateMs);
    }
    if (stall !== undefined && arrivalMs >= stall.atMs && arrivalMs < stall.atMs + stall.ms) {
      arrivalMs = stall.atMs + stall.ms;
    }
    heldUntilMs = Math.max(heldUntilMs, arrivalMs);
    arrivals.push({
      captureMs: trueMs * (1 + driftPpm / 1e6),
      arrivalMs: heldUntilMs,
      keyframe: index === 0,
      group: Math.floor(at / GROUP_FRAMES),
      index,
    });
  }
  return arrivals;
}

/** A decoder that takes its time, one frame after the other, and may keep some to itself. */
class VirtualDecoder {
  state: CodecState = 'unconfigured';
  ondequeue: DecoderLike['ondequeue'] = null;
  #inside: number[] = [];
  #busyMs = 0;
  readonly #init: VideoDecoderInit;
  readonly #world: World;

  constructor(init: VideoDecoderInit, world: World) {
    this.#init = init;
    this.#world = world;
  }

  get decodeQueueSize(): number {
    return Math.max(0, this.#inside.length - this.#world.depth);
  }

  configure(): void {
    this.state = 'configured';
  }

  decode({ timestamp }: { timestamp: number }): void {
    const { time, decodeMs, depth } = this.#world;
    this.#inside.push(timestamp);
    this.#busyMs = Math.max(this.#busyMs, time.nowMs()) + decodeMs;
    time.after(this.#busyMs - time.nowMs(), () => {
      if (this.#inside.length <= depth) return;
      const first = this.#inside.shift();
      this.#world.open += 1;
      this.#world.mostOpen = Math.max(this.#world.mostOpen, this.#world.open);
      const close = () => {
        this.#world.open -= 1;
      };
      this.#init.output({ timestamp: first, close } as unknown as VideoFrame);
      this.ondequeue?.call(this as unknown as VideoDecoder, new Event('dequeue'));
    });
  }

  close(): void {
    this.state = 'closed';
  }
}

interface World {
  time: VirtualTime;
  decodeMs: number;
  /** Frames that the decoder keeps until more come. */
  depth: number;
  /** Decoded frames that are not closed, and the most there were. */
  open: number;
  mostOpen: number;
}

export interface Shown {
  captureMs: number;
  shownMs: number;
}

export interface Screening {
  shown: Shown[];
  mostOpen: number;
  /** How long the fastest frames were held back at the end. */
  bufferMs: number;
  /** When frames could have been shown by themselves, at the end. */
  readyMs: number | null;
  /** What is still to happen, long after the last frame. */
  left: number;
}

export interface Setting {
  decodeMs?: number;
  depth?: number;
  /** Null: the page is hidden. */
  displayMs?: number | null;
  phaseMs?: number;
  /** How long after its capture sound is heard, at a time; left out: none is. */
  soundMs?: (nowMs: number) => number | null;
}

const CONFIG = {
  width: 640,
  height: 360,
  codec: 'vp8',
  description: new Uint8Array(0),
  colour: null,
};

/** Plays what comes over a path, and says when what was seen. */
export function screen(
  mode: PlayoutMode,
  arrivals: readonly FrameArrival[],
  { decodeMs = 6, depth = 0, displayMs = 1_000 / 60, phaseMs = 5, soundMs }: Setting = {},
): Screening {
  const time = new VirtualTime();
  Object.assign(time, { displayMs, phaseMs });
  const world: World = { time, decodeMs, depth, open: 0, mostOpen: 0 };
  const shown: Shown[] = [];
  const playout = new Playout(mode, {
    renderer: { draw: (frame) => frame.close() },
    records: new Records(),
    relayUs: () => time.nowMs() * 1_000,
    onDecoded: () => undefined,
    onShown: ({ header }) =>
      shown.push({ captureMs: header.captureUs / 1_000, shownMs: time.nowMs() }),
    onBreak: () => undefined,
    timers: time,
    createDecoder: (init) => new VirtualDecoder(init, world) as unknown as DecoderLike,
  });
  for (const arrival of arrivals) {
    time.runUntil(arrival.arrivalMs);
    if (soundMs !== undefined) playout.soundMs = soundMs(time.nowMs());
    playout.received(asFrame(arrival), true);
  }
  const { readyMs } = playout;
  time.runUntil((arrivals.at(-1)?.arrivalMs ?? 0) + 5_000);
  return {
    shown,
    readyMs,
    mostOpen: world.mostOpen,
    bufferMs: playout.bufferMs,
    left: time.waiting,
  };
}

function asFrame({ captureMs, keyframe, group, index }: FrameArrival): Frame {
  const header = {
    keyframe,
    refinement: false,
    track: 0,
    layer: 0,
    epoch: 1,
    group,
    index,
    captureUs: captureMs * 1_000,
    config: keyframe ? CONFIG : null,
  };
  return { header, payload: new Uint8Array(1) } as Frame;
}

export interface Figures {
  framesPerSecond: number;
  p50Ms: number;
  p95Ms: number;
  freezeMs: number;
}

/** What a viewer saw after the first `fromMs`. */
export function figures(shown: readonly Shown[], fromMs = 0): Figures {
  const seen = shown.filter(({ shownMs }) => shownMs >= fromMs);
  const ages = seen
    .map(({ captureMs, shownMs }) => shownMs - captureMs)
    .toSorted((one, other) => one - other);
  const gaps = seen.slice(1).map(({ shownMs }, at) => shownMs - (seen[at]?.shownMs ?? 0));
  const spanMs = (seen.at(-1)?.shownMs ?? 0) - (seen[0]?.shownMs ?? 0);
  return {
    framesPerSecond: ((seen.length - 1) * 1_000) / spanMs,
    p50Ms: ages[Math.floor(ages.length * 0.5)] ?? 0,
    p95Ms: ages[Math.floor(ages.length * 0.95)] ?? 0,
    freezeMs: Math.max(0, ...gaps),
  };
}
