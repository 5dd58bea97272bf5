/** From a received frame to the canvas: when it is decoded, and when, or whether, it is shown. */

import type { DecoderConfig, Frame } from '@steadycast/codec-glue';
import { type Break, type CreateDecoder, FrameDecoder } from './decoder.ts';
import { Display, type FrameTag } from './display.ts';
import { Line } from './line.ts';
import { Pacing } from './pacing.ts';
import { Readiness } from './readiness.ts';
import type { Records } from './records.ts';
import type { Renderer } from './renderer.ts';
import { type PlayoutMode, Spread } from './spread.ts';
import { browserTimers, type Timers } from './timers.ts';

export interface PlayoutParts {
  renderer: Pick<Renderer, 'draw'>;
  records: Records;
  /** The relay's time now, microseconds. */
  relayUs: () => number;
  /** A frame was decoded. */
  onDecoded: () => void;
  onShown: (tag: FrameTag) => void;
  /** Nothing is decoded until the next keyframe, and none is here. */
  onBreak: (reason: Break, detail: string) => void;
  /** What tests replace. */
  timers?: Timers;
  createDecoder?: CreateDecoder;
}

export class Playout {
  readonly #parts: PlayoutParts;
  readonly #timers: Timers;
  readonly #spread: Spread;
  readonly #pacing = new Pacing();
  readonly #decoder: FrameDecoder<FrameTag>;
  readonly #line: Line<FrameTag>;
  readonly #display: Display;
  readonly #readiness = new Readiness();
  #soundMs: number | null = null;

  constructor(mode: PlayoutMode, parts: PlayoutParts) {
    const { records, renderer, relayUs, onShown, timers = browserTimers } = parts;
    this.#parts = parts;
    this.#timers = timers;
    this.#spread = new Spread(mode);
    this.#decoder = new FrameDecoder<FrameTag>(
      {
        onFrame: (frame, tag) => this.#decoded(frame, tag),
        onBreak: (reason, detail) => parts.onBreak(reason, detail),
      },
      parts.createDecoder,
      () => timers.nowMs(),
    );
    this.#display = new Display({
      renderer,
      pacing: this.#pacing,
      records,
      timers,
      relayUs,
      wait: (tag) => ({ dueInMs: this.#dueInMs(tag), bufferMs: this.bufferMs }),
      onShown,
      onRoom: () => this.#line.move(),
    });
    this.#line = new Line<FrameTag>({
      timers,
      dueInMs: (tag) => this.#dueInMs(tag),
      isHopeless: ({ timing }) =>
        timing.rushed || this.#pacing.isHopeless(timing, timers.nowMs(), this.bufferMs),
      inHand: () => ({ decoding: this.#decoder.pending, decoded: this.#display.held }),
      decode: (frame, tag) => this.#decode(frame, tag),
    });
  }

  /** The configuration in use. */
  get config(): DecoderConfig | null {
    return this.#decoder.config;
  }

  /** How long the fastest frames are held back at present. */
  get bufferMs(): number {
    const { bufferMs } = this.#spread;
    return this.#soundMs === null
      ? bufferMs
      : Math.max(bufferMs, this.#spread.waitMs(this.#soundMs));
  }

  /** Sound is heard so long after its capture, and frames are not shown before; null: none is heard. */
  set soundMs(ms: number | null) {
    this.#soundMs = ms;
    if (ms === null) this.#line.move();
  }

  /** How long after their capture frames could be shown if no sound was waited for; null: not known. */
  get readyMs(): number | null {
    return this.#spread.offsetMs ?? this.#readiness.usualMs;
  }

  set mode(mode: PlayoutMode) {
    if (mode === this.#spread.mode) return;
    this.#spread.mode = mode;
    if (mode === 'live') this.#display.hurry();
    this.#line.move();
  }

  /** A new session begins: of the last one only the picture stays, and what is about to be shown. */
  restart(): void {
    this.#pacing.restart();
    this.#readiness.restart();
    this.#line.clear();
    this.#decoder.drop();
  }

  /** Takes the next frame to decode, in order. `live`: captured since this player is there. */
  received(frame: Frame, live: boolean): void {
    const { epoch, captureUs } = frame.header;
    const nowMs = this.#timers.nowMs();
    const delayMs = (this.#parts.relayUs() - captureUs) / 1_000;
    if (live) this.#spread.arrived(delayMs, nowMs);
    const lateMs = live ? this.#spread.excessMs(delayMs) : null;
    const timing = this.#pacing.received(epoch, captureUs, nowMs, lateMs);
    const ready = live ? { delayMs, atMs: nowMs } : null;
    this.#line.add(frame, { header: frame.header, timing, live, ready });
    this.#display.nudge();
  }

  /** The rest of the group is lost. What has come of it is still shown. */
  cut(): void {
    this.#decoder.drop();
  }

  /** After a break: whether it goes on with a keyframe that is already here. */
  goesOn(): boolean {
    this.#decoder.drop();
    const found = this.#line.skipToKeyframe();
    this.#line.move();
    return found;
  }

  /** Looks for a decoder that stalls; to be called a few times per second. */
  check(): void {
    this.#decoder.check();
    this.#line.move();
    this.#display.nudge();
  }

  close(): void {
    this.#line.clear();
    this.#decoder.close();
    this.#display.clear();
  }

  #decode(frame: Frame, tag: FrameTag): void {
    if (tag.ready !== null) tag.ready.atMs = this.#timers.nowMs();
    this.#decoder.decode(frame, tag);
  }

  #decoded(frame: VideoFrame, tag: FrameTag): void {
    this.#parts.onDecoded();
    if (tag.ready !== null) this.#readiness.decoded(tag.ready, this.#timers.nowMs());
    this.#display.show(frame, tag);
    this.#line.decoded();
  }

  #dueInMs({ header, live }: FrameTag): number {
    const { offsetMs } = this.#spread;
    if (!live || (offsetMs === null && this.#soundMs === null)) return 0;
    return (
      Math.max(offsetMs ?? 0, this.#soundMs ?? 0) -
      (this.#parts.relayUs() - header.captureUs) / 1_000
    );
  }
}
