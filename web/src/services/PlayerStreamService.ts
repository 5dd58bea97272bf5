/** Plays one broadcast on one canvas; for any page, with or without a framework. */

import type { FromWorker, PlayerSnapshot, ToWorker } from '../play/messages.ts';
import type { PlayerRecords, ShownFrame } from '../play/records.ts';
import type { PlayerState } from '../play/state.ts';
import { missingSupport } from '../play/support.ts';

export interface PlayOptions {
  /** The relay's origin, as in `https://relay.example:4443`. */
  origin: string;
  /** A play token (PROTOCOL 6). */
  token: string;
  /** The longest wait that may be added to even out a jittery network: 0 (the default) to 100 ms. */
  bufferMs?: number;
}

/** Everything counted, and the newest 2,000 shown frames. */
export type PlayerReport = PlayerRecords & { shown: ShownFrame[] };

/** What a player component needs of the service. */
export interface PlayerService {
  start(canvas: HTMLCanvasElement, options: PlayOptions): void;
  stop(): void;
  subscribe(listener: () => void): () => void;
  snapshot(): PlayerSnapshot;
  setBuffer(ms: number): void;
  redraw(): void;
}

const SHOWN_MAX = 2_000;
/** How long the worker may take to say goodbye. */
const STOP_TIMEOUT_MS = 500;

const NOTHING_YET: PlayerSnapshot = {
  state: { kind: 'connecting', attempt: 1 },
  undecodable: null,
  broadcast: null,
  records: {
    sessionsOpened: 0,
    sessionsClosed: 0,
    framesReceived: 0,
    bytesReceived: 0,
    framesDecoded: 0,
    framesShown: 0,
    blackFrames: 0,
    blackChecks: 0,
    blankResets: 0,
    decoderErrors: 0,
    keyframeRequests: 0,
    skips: 0,
    lateFrames: 0,
    brokenStreams: 0,
    firstPictureMs: null,
    latencyP50Ms: null,
    latencyP95Ms: null,
    latencyMs: null,
    largestGapMs: 0,
    bufferMs: 0,
    rttMs: null,
    picture: null,
  },
};

export class PlayerStreamService implements PlayerService {
  readonly #listeners = new Set<() => void>();
  #worker: Worker | null = null;
  #snapshot = NOTHING_YET;
  #shown: ShownFrame[] = [];

  /**
   * Plays on `canvas` until `stop`. A canvas serves a single start: its drawing is handed over to
   * a worker for good.
   */
  start(canvas: HTMLCanvasElement, { origin, token, bufferMs = 0 }: PlayOptions): void {
    this.stop();
    this.#snapshot = NOTHING_YET;
    this.#shown = [];
    const missing = missingSupport();
    if (missing !== null) {
      this.#conclude({ kind: 'unsupported', reason: missing });
    } else if (token === '') {
      this.#conclude({ kind: 'refused', reason: 'unauthorized', message: 'no token' });
    } else {
      this.#launch(canvas.transferControlToOffscreen(), origin, token, bufferMs);
    }
  }

  /** Leaves the broadcast; the last picture stays on the canvas. */
  stop(): void {
    const worker = this.#worker;
    if (worker === null) return;
    this.#worker = null;
    const end = () => worker.terminate();
    worker.onerror = null;
    worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
      if (data.type === 'stopped') end();
    };
    setTimeout(end, STOP_TIMEOUT_MS);
    send(worker, { type: 'stop' });
  }

  /** Calls `listener` whenever there is a new snapshot. Returns how to unsubscribe. */
  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** The newest snapshot; the same object until there is a newer one. */
  snapshot = (): PlayerSnapshot => this.#snapshot;

  /** All counts, and the newest shown frames; up to a quarter of a second old. */
  records(): PlayerReport {
    return { ...this.#snapshot.records, shown: [...this.#shown] };
  }

  /** Changes the longest wait of the jitter buffer, 0 to 100 ms. */
  setBuffer(ms: number): void {
    if (this.#worker !== null) send(this.#worker, { type: 'buffer', ms });
  }

  /** Draws the picture once more, so that a capture of the canvas that just began sees it. */
  redraw(): void {
    if (this.#worker !== null) send(this.#worker, { type: 'redraw' });
  }

  #launch(canvas: OffscreenCanvas, origin: string, token: string, bufferMs: number): void {
    const worker = new Worker(new URL('../play/worker.ts', import.meta.url), {
      type: 'module',
      name: 'steadycast-player',
    });
    this.#worker = worker;
    worker.onmessage = ({ data }: MessageEvent<FromWorker>) => this.#receive(data);
    worker.onerror = () => this.#failed();
    send(worker, { type: 'start', canvas, origin, token, bufferMs }, [canvas]);
    this.#notify();
  }

  #receive(message: FromWorker): void {
    if (message.type !== 'snapshot') return;
    this.#snapshot = message.snapshot;
    this.#shown.push(...message.shown);
    if (this.#shown.length > SHOWN_MAX) this.#shown = this.#shown.slice(-SHOWN_MAX);
    this.#notify();
  }

  /** An error inside a running player is its own to handle; before its first word it is the end. */
  #failed(): void {
    if (this.#snapshot !== NOTHING_YET) return;
    this.#conclude({ kind: 'refused', reason: 'internal', message: 'the player did not load' });
  }

  #conclude(state: PlayerState): void {
    this.#snapshot = { ...NOTHING_YET, state };
    this.#notify();
  }

  #notify(): void {
    for (const listener of this.#listeners) listener();
  }
}

function send(worker: Worker, message: ToWorker, transfer: Transferable[] = []): void {
  worker.postMessage(message, transfer);
}
