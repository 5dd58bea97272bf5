/** Brings decoded frames to the canvas at their time, one after the other. */

import type { FrameHeader } from '@steadycast/codec-glue';
import type { Pacing, Timing, Wait } from './pacing.ts';
import type { Records } from './records.ts';
import type { Renderer } from './renderer.ts';
import type { Timers } from './timers.ts';

/** What goes with a frame from its arrival to its display. */
export interface FrameTag {
  header: FrameHeader;
  timing: Timing;
  /** Captured after the session began, so that its age is the latency of this path. */
  live: boolean;
  /** What it took from its capture until its decoder was given it, and when that was; null: it waits. */
  ready: { delayMs: number; atMs: number } | null;
}

export interface DisplayParts {
  renderer: Pick<Renderer, 'draw'>;
  pacing: Pacing;
  records: Records;
  timers: Timers;
  /** What play-out asks of a frame. */
  wait: (tag: FrameTag) => Wait;
  /** The relay's time now, microseconds. */
  relayUs: () => number;
  /** A frame was drawn. */
  onShown: (tag: FrameTag, nowMs: number) => void;
  /** There is room for another frame. */
  onRoom: () => void;
}

/** Decoders have few frames to lend; more held back would stall them. */
export const HELD_MAX = 4;
/** Of frames that are late together, one is drawn for each time that a usual display shows one. */
const SPACING_MS = 12;
/** A frame is drawn at the display's time nearest to its own: half of such a time early at most. */
const EARLY_MS = 8;
/** Timers come a little early at times; a frame is not worth another round. */
const SLACK_MS = 1;
/** An animation frame that is later than this does not come: the page is hidden. */
const GRACE_MS = 34;

interface Held {
  frame: VideoFrame;
  tag: FrameTag;
  dueMs: number;
  /** Any newer frame takes its place. */
  settling: boolean;
}

export class Display {
  readonly #parts: DisplayParts;
  #held: Held[] = [];
  #drawnMs = Number.NEGATIVE_INFINITY;
  /** The epoch last drawn: a change is where a picture could be lost. */
  #epoch: number | null = null;
  #cancel: () => void = () => undefined;
  /** An animation frame was asked for and has not come. */
  #asked = false;
  /** Animation frames come. */
  #awake = true;

  constructor(parts: DisplayParts) {
    this.#parts = parts;
  }

  /** How many decoded frames wait for their time. */
  get held(): number {
    return this.#held.length;
  }

  /** Takes a decoded frame, to be closed here. Frames come in decoding order. */
  show(frame: VideoFrame, tag: FrameTag): void {
    const { pacing, timers, wait } = this.#parts;
    const nowMs = timers.nowMs();
    const decision = pacing.decide(tag.timing, nowMs, wait(tag));
    if (decision.action === 'drop') {
      frame.close();
      return;
    }
    if (this.#held.some(({ settling }) => settling)) this.clear();
    const settling = decision.action === 'settle';
    if (this.#held.length >= HELD_MAX) this.#held.shift()?.frame.close();
    this.#held.push({ frame, tag, dueMs: nowMs + decision.ms, settling });
    this.#run();
  }

  /** Frames that wait are due now: play-out has changed. */
  hurry(): void {
    const nowMs = this.#parts.timers.nowMs();
    for (const held of this.#held) held.dueMs = Math.min(held.dueMs, nowMs);
    this.#run();
  }

  /** Draws what is overdue although nothing woke this side: timers and frames of hidden pages rest. */
  nudge(): void {
    const [first] = this.#held;
    if (first !== undefined && first.dueMs + GRACE_MS < this.#parts.timers.nowMs()) this.#run();
  }

  /** Forgets frames that wait for their time. */
  clear(): void {
    this.#cancel();
    for (const { frame } of this.#held) frame.close();
    this.#held = [];
  }

  #run(): void {
    const nowMs = this.#parts.timers.nowMs();
    this.#dropHopeless(nowMs);
    const [first] = this.#held;
    if (first === undefined) return;
    const dueMs = Math.max(first.dueMs - this.#earlyMs, this.#drawnMs + SPACING_MS);
    if (dueMs <= nowMs + SLACK_MS) {
      this.#held.shift();
      this.#draw(first, nowMs);
      this.#parts.onRoom();
    }
    this.#schedule();
  }

  /** With a newer frame at hand, one that pacing would not have taken any more goes. */
  #dropHopeless(nowMs: number): void {
    const { pacing, wait } = this.#parts;
    while (this.#held.length > 1) {
      const [first] = this.#held;
      const { bufferMs } = first === undefined ? { bufferMs: 0 } : wait(first.tag);
      if (first === undefined || !pacing.isHopeless(first.tag.timing, nowMs, bufferMs)) return;
      this.#held.shift();
      first.frame.close();
    }
  }

  /** Timers know no display's times: there a frame is drawn at its own. */
  get #earlyMs(): number {
    return this.#parts.timers.frame !== null && this.#awake ? EARLY_MS : 0;
  }

  #schedule(): void {
    this.#cancel();
    const [first] = this.#held;
    if (first === undefined) return;
    const { timers } = this.#parts;
    const ask = timers.frame;
    if (ask !== null && !this.#asked) {
      this.#asked = true;
      ask(() => {
        this.#asked = false;
        this.#awake = true;
        this.#run();
      });
    }
    const dueMs = Math.max(first.dueMs, this.#drawnMs + SPACING_MS);
    const graceMs = ask !== null && this.#awake ? GRACE_MS : 0;
    this.#cancel = timers.after(Math.max(0, dueMs - timers.nowMs()) + graceMs, () => {
      this.#awake = false;
      this.#run();
    });
  }

  #draw({ frame, tag }: Held, nowMs: number): void {
    const { renderer, pacing, records, relayUs, wait, onShown } = this.#parts;
    const { epoch, group, index, captureUs, refinement } = tag.header;
    renderer.draw(frame, nowMs, this.#epoch !== epoch);
    this.#epoch = epoch;
    this.#drawnMs = nowMs;
    pacing.drawn(tag.timing, nowMs, wait(tag).bufferMs);
    const live = tag.live && !refinement;
    records.shown({ epoch, group, index, captureUs, shownUs: relayUs() }, nowMs, live);
    onShown(tag, nowMs);
  }
}
