/** Plays a broadcast over WebTransport: a worker takes the frames and draws them on a canvas. */

import { type FromWorker, NOTHING_YET, type ToWorker } from './messages.ts';
import type { Playback, PlaybackOptions } from './playback.ts';
import type { PlayoutMode } from './spread.ts';
import type { PlayerState } from './state.ts';

/** How long the worker may take to say goodbye. */
const STOP_TIMEOUT_MS = 500;

const UNLOADED: PlayerState = {
  kind: 'refused',
  reason: 'internal',
  message: 'the player did not load',
};

export class DirectPlayback implements Playback {
  readonly #canvas = document.createElement('canvas');
  readonly #worker: Worker;
  #pictured = false;

  constructor({ place, origin, token, playout, onSnapshot, onProgress }: PlaybackOptions) {
    this.#canvas.className = 'player-picture';
    place.append(this.#canvas);
    this.#worker = new Worker(new URL('./worker.ts', import.meta.url), {
      type: 'module',
      name: 'steadycast-player',
    });
    let heard = false;
    this.#worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
      heard = true;
      if (data.type === 'progress') onProgress(data.progress);
      if (data.type !== 'snapshot') return;
      this.#pictured = data.snapshot.records.framesShown > 0;
      onSnapshot(data.snapshot, data.shown);
    };
    // An error inside a running player is its own to handle; before its first word it is the end.
    this.#worker.onerror = () => {
      if (heard) return;
      onSnapshot({ ...NOTHING_YET, state: UNLOADED }, []);
      onProgress('impossible');
    };
    const canvas = this.#canvas.transferControlToOffscreen();
    this.#send({ type: 'start', canvas, origin, token, playout }, [canvas]);
  }

  surface(): HTMLCanvasElement | null {
    return this.#pictured ? this.#canvas : null;
  }

  stop(): void {
    const end = () => this.#worker.terminate();
    this.#worker.onerror = null;
    this.#worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
      if (data.type === 'stopped') end();
    };
    setTimeout(end, STOP_TIMEOUT_MS);
    this.#send({ type: 'stop' });
  }

  setPlayout(mode: PlayoutMode): void {
    this.#send({ type: 'playout', mode });
  }

  redraw(): void {
    this.#send({ type: 'redraw' });
  }

  resume(): void {}

  #send(message: ToWorker, transfer: Transferable[] = []): void {
    this.#worker.postMessage(message, transfer);
  }
}
