/** Plays a broadcast over WebTransport: a worker takes the frames and decodes them. */

import { type FromWorker, NOTHING_YET, type ToWorker } from './messages.ts';
import type { Playback, PlaybackOptions, Surface } from './playback.ts';
import { takeWorker } from './spare-worker.ts';
import type { PlayoutMode } from './spread.ts';
import { makeStage, type Stage } from './stage.ts';
import type { PlayerState } from './state.ts';

/** How long the worker may take to say goodbye. */
const STOP_TIMEOUT_MS = 500;

const UNLOADED: PlayerState = {
  kind: 'refused',
  reason: 'internal',
  message: 'the player did not load',
};

export class DirectPlayback implements Playback {
  readonly #stage: Stage;
  readonly #worker: Worker;
  #pictured = false;
  #blocked = false;

  constructor({ place, origin, token, playout, onSnapshot, onProgress }: PlaybackOptions) {
    this.#stage = makeStage({
      onBlocked: (blocked) => {
        this.#blocked = blocked;
      },
      onLook: (blank) => this.#send({ type: 'looked', blank }),
    });
    place.append(this.#stage.element);
    this.#stage.play();
    this.#worker = takeWorker(origin);
    let heard = false;
    this.#worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
      heard = true;
      if (data.type === 'progress') onProgress(data.progress);
      if (data.type !== 'snapshot') return;
      this.#pictured = data.snapshot.records.framesShown > 0;
      this.#stage.look();
      onSnapshot({ ...data.snapshot, blocked: this.#blocked }, data.shown);
    };
    // An error inside a running player is its own to handle; before its first word it is the end.
    this.#worker.onerror = () => {
      if (heard) return;
      onSnapshot({ ...NOTHING_YET, state: UNLOADED }, []);
      onProgress('impossible');
    };
    const canvas = this.#stage.target;
    this.#send({ type: 'start', canvas, origin, token, playout }, [canvas]);
    document.addEventListener('visibilitychange', this.#tellHidden);
    if (document.hidden) this.#tellHidden();
  }

  surface(): Surface | null {
    return this.#pictured ? this.#stage.element : null;
  }

  stop(): void {
    document.removeEventListener('visibilitychange', this.#tellHidden);
    this.#stage.retire();
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

  resume(): void {
    this.#stage.play();
  }

  readonly #tellHidden = (): void => {
    this.#send({ type: 'hidden', hidden: document.hidden });
  };

  #send(message: ToWorker, transfer: Transferable[] = []): void {
    this.#worker.postMessage(message, transfer);
  }
}
