/**
 * Plays a broadcast as frames, over WebTransport or WebSocket: a worker takes them and decodes them. A private one comes
 * so over WebRTC as well, where the page has the session, and the worker what it brings.
 */

import { CarriedPage } from './carried/carried-page.ts';
import type { CarriedWord } from './carried/words.ts';
import { type FromWorker, NOTHING_YET, type PlayerSnapshot, type ToWorker } from './messages.ts';
import type { Playback, PlaybackOptions, Surface } from './playback.ts';
import type { TransportName } from './race.ts';
import type { ShownFrame } from './records.ts';
import { OwnSound } from './sound/own-sound.ts';
import type { SoundWish } from './sound/wish.ts';
import { takeWorker } from './spare-worker.ts';
import type { PlayoutMode } from './spread.ts';
import { makeStage, type Stage } from './stage.ts';
import type { PlayerState } from './state.ts';

/** How long the worker may take to say goodbye. */
const STOP_TIMEOUT_MS = 500;

/** While it is so there may be something to hear all the same. */
const WITHOUT_PICTURE: ReadonlySet<PlayerState['kind']> = new Set([
  'waiting',
  'paused',
  'away',
  'preparing',
  'undecodable',
]);

const UNLOADED: PlayerState = {
  kind: 'refused',
  reason: 'internal',
  message: 'the player did not load',
};

export class DirectPlayback implements Playback {
  readonly #stage: Stage;
  readonly #worker: Worker;
  readonly #sound: OwnSound;
  readonly #onSnapshot: PlaybackOptions['onSnapshot'];
  #snapshot: PlayerSnapshot = NOTHING_YET;
  #pictured = false;
  #blocked = false;
  /** The session, where it is not the worker's. */
  readonly #page: CarriedPage | null;

  constructor(carrier: TransportName, options: PlaybackOptions) {
    const { place, origin, token, key, playout, endpoint = null, onSnapshot, onProgress } = options;
    this.#stage = makeStage({
      onBlocked: (blocked) => {
        this.#blocked = blocked;
      },
      onLook: (blank) => this.#send({ type: 'looked', blank }),
    });
    this.#onSnapshot = onSnapshot;
    this.#sound = new OwnSound(playout, {
      onPort: (port) => this.#send({ type: 'listen', port }, port === null ? [] : [port]),
      onHeard: (at) => this.#send({ type: 'heard', at }),
      onChange: () => this.#publish([]),
    });
    place.append(this.#stage.element);
    this.#stage.play();
    this.#worker = takeWorker(origin, carrier);
    let heard = false;
    this.#worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
      heard = true;
      if (data.type === 'progress') onProgress(data.progress);
      if (data.type === 'carried') this.#page?.hear(data.answer);
      if (data.type !== 'snapshot') return;
      this.#pictured = data.snapshot.records.framesShown > 0;
      this.#stage.look();
      this.#snapshot = data.snapshot;
      const { sound, state } = data.snapshot;
      // It comes after the picture, unless none is coming.
      const due = this.#pictured || WITHOUT_PICTURE.has(state.kind);
      this.#sound.there = sound.state !== 'none' && (due || this.#sound.there);
      this.#publish(data.shown);
    };
    // An error inside a running player is its own to handle; before its first word it is the end.
    this.#worker.onerror = () => {
      if (heard) return;
      onSnapshot({ ...NOTHING_YET, state: UNLOADED }, []);
      onProgress('impossible');
    };
    const canvas = this.#stage.target;
    this.#send({ type: 'start', canvas, origin, token, key, playout, carrier, endpoint }, [canvas]);
    this.#page = carrier === 'whep' ? this.#carry(options) : null;
    document.addEventListener('visibilitychange', this.#tellHidden);
    if (document.hidden) this.#tellHidden();
  }

  surface(): Surface | null {
    return this.#pictured ? this.#stage.element : null;
  }

  setSound(wish: SoundWish): void {
    this.#sound.wish = wish;
  }

  stop(): void {
    this.#page?.stop();
    this.#sound.close();
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
    this.#sound.mode = mode;
  }

  redraw(): void {
    this.#send({ type: 'redraw' });
  }

  resume(): void {
    this.#stage.play();
  }

  /** Opens sessions for the worker. */
  #carry({ origin, token, endpoint }: PlaybackOptions): CarriedPage {
    const tell = (word: CarriedWord) => this.#send({ type: 'carried', word });
    const page = new CarriedPage({ origin, token, endpoint, worker: this.#worker, tell });
    void page.run();
    return page;
  }

  #publish(shown: ShownFrame[]): void {
    const sound = { state: this.#sound.state };
    this.#onSnapshot({ ...this.#snapshot, blocked: this.#blocked, sound }, shown);
  }

  readonly #tellHidden = (): void => {
    this.#send({ type: 'hidden', hidden: document.hidden });
  };

  #send(message: ToWorker, transfer: Transferable[] = []): void {
    this.#worker.postMessage(message, transfer);
  }
}
