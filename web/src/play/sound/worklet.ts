/** The audio worklet: gives the browser samples. Sound comes from the player's worker, past the page. */

import {
  type FromWorklet,
  PROCESSOR,
  type ToWorklet,
  type WorkletOptions,
  type WorkletStart,
} from './messages.ts';
import { SoundPlayer } from './player.ts';
import { samplesOf } from './samples.ts';

/** As much of an audio worklet's global scope as is used; the project's types are a document's. */
declare abstract class AudioWorkletProcessor {
  readonly port: MessagePort;
}
declare function registerProcessor(
  name: string,
  processor: new (options: { processorOptions: WorkletOptions }) => AudioWorkletProcessor,
): void;
declare const currentFrame: number;

/** Between two words to the worker. */
const TELL_EVERY = samplesOf(100);

class SoundProcessor extends AudioWorkletProcessor {
  readonly #player: SoundPlayer;
  #worker: MessagePort | null = null;
  #toldAt = 0;

  constructor({ processorOptions: { mode } }: { processorOptions: WorkletOptions }) {
    super();
    this.#player = new SoundPlayer(mode);
    this.port.onmessage = ({ data: { port } }: MessageEvent<WorkletStart>) => {
      this.#worker = port;
      port.onmessage = ({ data }: MessageEvent<ToWorklet>) => this.#take(data);
    };
  }

  process(_inputs: unknown, [output = []]: Float32Array[][]): boolean {
    this.#player.render(output, currentFrame);
    if (currentFrame - this.#toldAt >= TELL_EVERY) this.#tell();
    return true;
  }

  #take(data: ToWorklet): void {
    if (data.type === 'chunk') this.#player.take(data.chunk);
    else if (data.type === 'least') this.#player.least = data.samples;
    else this.#player.quiet();
  }

  #tell(): void {
    this.#toldAt = currentFrame;
    const { standing, counts } = this.#player;
    this.#worker?.postMessage({ standing, counts } satisfies FromWorklet);
  }
}

registerProcessor(PROCESSOR, SoundProcessor);
