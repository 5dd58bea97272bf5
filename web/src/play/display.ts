/** Brings decoded frames to the canvas at their time, newest first. */

import type { FrameHeader } from '@steadycast/codec-glue';
import type { JitterBuffer } from './latency.ts';
import type { Pacing, Timing } from './pacing.ts';
import type { Records } from './records.ts';
import type { Renderer } from './renderer.ts';

/** What goes with a frame from its arrival to its display. */
export interface FrameTag {
  header: FrameHeader;
  timing: Timing;
  /** Captured after the session began, so that its age is the latency of this path. */
  live: boolean;
}

export interface DisplayParts {
  renderer: Pick<Renderer, 'draw'>;
  pacing: Pacing;
  jitter: JitterBuffer;
  records: Records;
  /** The relay's time now, microseconds. */
  relayUs: () => number;
  nowMs: () => number;
  onShown: (tag: FrameTag, nowMs: number) => void;
}

/** Decoders have few frames to lend; more held back would stall them. */
const HELD_MAX = 4;

interface Held {
  frame: VideoFrame;
  tag: FrameTag;
  dueMs: number;
}

export class Display {
  readonly #parts: DisplayParts;
  #held: Held[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** The epoch last drawn: a change is where a picture could be lost. */
  #epoch: number | null = null;

  constructor(parts: DisplayParts) {
    this.#parts = parts;
  }

  /** Takes a decoded frame, to be closed here. Frames come in decoding order. */
  show(frame: VideoFrame, tag: FrameTag): void {
    const { pacing, jitter, relayUs } = this.#parts;
    const nowMs = this.#parts.nowMs();
    const ageMs = (relayUs() - tag.header.captureUs) / 1_000;
    const decision = pacing.decide(tag.timing, nowMs, tag.live ? jitter.dueMs(ageMs) : 0);
    if (decision.action === 'drop') {
      frame.close();
    } else if (decision.action === 'draw') {
      this.clear();
      this.#draw(frame, tag, nowMs);
    } else {
      if (decision.alone) this.clear();
      this.#hold({ frame, tag, dueMs: nowMs + decision.ms });
    }
  }

  /** Forgets frames that wait for their time. */
  clear(): void {
    clearTimeout(this.#timer);
    for (const { frame } of this.#held) frame.close();
    this.#held = [];
  }

  #hold(held: Held): void {
    this.#held.push(held);
    if (this.#held.length > HELD_MAX) this.#held.shift()?.frame.close();
    this.#schedule();
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    const [first] = this.#held;
    if (first === undefined) return;
    const ms = Math.max(0, first.dueMs - this.#parts.nowMs());
    this.#timer = setTimeout(() => this.#drawDue(), ms);
  }

  #drawDue(): void {
    const nowMs = this.#parts.nowMs();
    // Timers come a little early at times; a frame is not worth another round.
    const due = this.#held.filter(({ dueMs }) => dueMs <= nowMs + 1);
    this.#held = this.#held.slice(due.length);
    const newest = due.pop();
    for (const { frame } of due) frame.close();
    if (newest !== undefined) this.#draw(newest.frame, newest.tag, nowMs);
    this.#schedule();
  }

  #draw(frame: VideoFrame, tag: FrameTag, nowMs: number): void {
    const { renderer, pacing, records, relayUs, onShown } = this.#parts;
    const { epoch, group, index, captureUs, refinement } = tag.header;
    renderer.draw(frame, nowMs, this.#epoch !== epoch);
    this.#epoch = epoch;
    pacing.drawn(tag.timing);
    const live = tag.live && !refinement;
    records.shown({ epoch, group, index, captureUs, shownUs: relayUs() }, nowMs, live);
    onShown(tag, nowMs);
  }
}
