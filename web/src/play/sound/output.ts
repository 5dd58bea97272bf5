/** Where decoded sound is played: the page's audio worklet, and how loud. */

import type { PlayoutMode } from '../spread.ts';
import { PROCESSOR, type WorkletOptions, type WorkletStart } from './messages.ts';
import { CHANNELS, RATE } from './samples.ts';
import workletUrl from './worklet.ts?worker&url';

export interface OutputListener {
  /** blocked: the browser wants a touch or a click first; failed: it plays no sound of this kind at all. */
  onState: (state: 'on' | 'blocked' | 'failed') => void;
  /** To where decoded sound goes, once. */
  onPort: (port: MessagePort) => void;
  /** When a sample of the browser's count was heard, a few times per second; negative: it will be. */
  onHeard: (frame: number, agoMs: number) => void;
}

export interface OutputOptions {
  mode: PlayoutMode;
  /** What samples are multiplied by. */
  gain: number;
  listener: OutputListener;
  /**
   * Whether the browser may be asked what is heard when. Firefox stands still for ever at times when it is while a
   * worklet runs: its word from before has to do.
   */
  asks: boolean;
}

/** How much the browser takes at a time, in seconds: less is closer, and more is safer. */
const LATENCY: Record<PlayoutMode, AudioContextLatencyCategory | number> = {
  live: 0,
  automatic: 'interactive',
  smooth: 'balanced',
};
/** A browser that plays by itself does so by then. */
const BLOCKED_AFTER_MS = 300;
const LOOK_EVERY_MS = 250;
/** In how many seconds most of a change of loudness is done: no click, and no wait. */
const RAMP = 0.01;
const GONE_AFTER_MS = 60;

export class SoundOutput {
  readonly #mode: PlayoutMode;
  readonly #asks: boolean;
  readonly #context: AudioContext;
  readonly #gain: GainNode;
  readonly #listener: OutputListener;
  readonly #timers: ReturnType<typeof setTimeout>[] = [];
  /** In seconds, from a sample's turn to its being heard, as the browser said at first. */
  #latency = 0;
  #begun = false;
  /** Sound has somewhere to go. */
  #given = false;
  #late = false;
  #over = false;

  constructor({ mode, gain, listener, asks }: OutputOptions) {
    this.#mode = mode;
    this.#asks = asks;
    this.#listener = listener;
    this.#context = new AudioContext({ sampleRate: RATE, latencyHint: LATENCY[mode] });
    this.#gain = new GainNode(this.#context, { gain });
    this.#gain.connect(this.#context.destination);
    this.#context.onstatechange = () => this.#tell();
    const late = () => {
      this.#late = true;
      this.#tell();
    };
    this.#timers.push(setTimeout(late, BLOCKED_AFTER_MS));
    this.#timers.push(setInterval(() => this.#look(), LOOK_EVERY_MS));
    this.resume();
    this.#tell();
  }

  /** To be called at a viewer's gesture, when the browser would not play by itself. */
  resume(): void {
    this.#context.resume().catch(() => undefined);
  }

  set gain(gain: number) {
    this.#gain.gain.setTargetAtTime(gain, this.#context.currentTime, RAMP);
  }

  close(): void {
    this.#over = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#context.onstatechange = null;
    this.#gain.gain.setTargetAtTime(0, this.#context.currentTime, RAMP);
    setTimeout(() => void this.#context.close().catch(() => undefined), GONE_AFTER_MS);
  }

  /** Once it runs. */
  async #begin(): Promise<void> {
    const context = this.#context;
    this.#latency = context.outputLatency || context.baseLatency || 0;
    await context.audioWorklet.addModule(workletUrl);
    if (this.#over) return;
    const node = new AudioWorkletNode(context, PROCESSOR, {
      numberOfInputs: 0,
      outputChannelCount: [CHANNELS],
      processorOptions: { mode: this.#mode } satisfies WorkletOptions,
    });
    node.connect(this.#gain);
    node.onprocessorerror = () => this.#fail();
    const { port1, port2 } = new MessageChannel();
    node.port.postMessage({ port: port1 } satisfies WorkletStart, [port1]);
    this.#listener.onPort(port2);
    this.#given = true;
    this.#tell();
  }

  #tell(): void {
    if (this.#over) return;
    if (this.#context.state !== 'running') {
      if (this.#late) this.#listener.onState('blocked');
      return;
    }
    if (!this.#begun) void this.#begin().catch(() => this.#fail());
    this.#begun = true;
    if (this.#given) this.#listener.onState('on');
  }

  #look(): void {
    if (!this.#given) return;
    if (!this.#asks) {
      this.#listener.onHeard(this.#context.currentTime * RATE, -this.#latency * 1_000);
      return;
    }
    const { contextTime, performanceTime } = this.#context.getOutputTimestamp();
    // Before the first sample there is nothing to tell.
    if (contextTime === undefined || performanceTime === undefined || contextTime <= 0) return;
    this.#listener.onHeard(contextTime * RATE, performance.now() - performanceTime);
  }

  #fail(): void {
    if (!this.#over) this.#listener.onState('failed');
  }
}
