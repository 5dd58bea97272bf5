/** Plays one broadcast in one place of a page, with or without a framework. */

import { DirectPlayback } from '../play/direct.ts';
import { type FallbackOptions, FallbackPlayer } from '../play/fallback.ts';
import { choosePlayout, chosenPlayout, Memory } from '../play/memory.ts';
import { NOTHING_YET, type PlayerSnapshot } from '../play/messages.ts';
import type { Surface } from '../play/playback.ts';
import type { PlayerRecords, ShownFrame } from '../play/records.ts';
import type { PlayoutMode } from '../play/spread.ts';
import type { PlayerState } from '../play/state.ts';
import { missingSupport, possibleTransports } from '../play/support.ts';
import { WhepPlayer } from '../play/whep/player.ts';

export interface PlayOptions {
  /** The relay's origin, as in `https://relay.example:4443`. */
  origin: string;
  /** A play token (PROTOCOL 6). */
  token: string;
  /**
   * How frames that come unevenly are shown: `live` as they come, `smooth` evenly and a little
   * later, `automatic` smooth where the path needs it. What was chosen here before when left out.
   */
  playout?: PlayoutMode;
}

/** Everything counted, and the newest 2,000 shown frames. */
export type PlayerReport = PlayerRecords & { shown: ShownFrame[] };

/** What a player component needs of the service. */
export interface PlayerService {
  start(place: HTMLElement, options: PlayOptions): void;
  stop(): void;
  subscribe(listener: () => void): () => void;
  snapshot(): PlayerSnapshot;
  playout(): PlayoutMode;
  setPlayout(mode: PlayoutMode): void;
  redraw(): void;
  surface(): Surface | null;
  resume(): void;
}

const SHOWN_MAX = 2_000;
const STARTERS: FallbackOptions['start'] = {
  webtransport: (options) => new DirectPlayback(options),
  whep: (options) => {
    const player = new WhepPlayer(options);
    void player.run();
    return player;
  },
};

export class PlayerStreamService implements PlayerService {
  readonly #listeners = new Set<() => void>();
  #player: FallbackPlayer | null = null;
  #snapshot = NOTHING_YET;
  #shown: ShownFrame[] = [];
  #playout: PlayoutMode = chosenPlayout();

  /**
   * Plays inside `place`, which is emptied first and should be positioned, until `stop`: over
   * WebTransport where that works, else over WebRTC.
   */
  start(place: HTMLElement, { origin, token, playout }: PlayOptions): void {
    this.stop();
    place.replaceChildren();
    this.#playout = playout ?? this.#playout;
    this.#snapshot = NOTHING_YET;
    this.#shown = [];
    const missing = missingSupport();
    const possible = possibleTransports();
    if (possible.length === 0) {
      this.#conclude({ kind: 'unsupported', reason: missing ?? 'webtransport' });
    } else if (token === '') {
      this.#conclude({ kind: 'refused', reason: 'unauthorized', message: 'no token' });
    } else {
      const onSnapshot = (snapshot: PlayerSnapshot, shown: ShownFrame[]) => {
        this.#receive(snapshot, shown);
      };
      const memory = new Memory(origin);
      const wanted = { place, origin, token, possible, missing, memory, onSnapshot };
      const how = { playout: this.#playout, start: STARTERS };
      this.#player = new FallbackPlayer({ ...wanted, ...how });
      this.#notify();
    }
  }

  /** Leaves the broadcast; the last picture stays. */
  stop(): void {
    this.#player?.stop();
    this.#player = null;
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

  /** How frames that come unevenly are shown. */
  playout(): PlayoutMode {
    return this.#playout;
  }

  /** Changes that, at once and for later visits. */
  setPlayout(mode: PlayoutMode): void {
    this.#playout = mode;
    choosePlayout(mode);
    this.#player?.setPlayout(mode);
  }

  /** Draws the picture once more, so that a capture of a canvas that just began sees it. */
  redraw(): void {
    this.#player?.redraw();
  }

  /**
   * The canvas or video element with the newest picture; null: there is none yet. It becomes
   * another one when a connection, or the transport, is replaced.
   */
  surface(): Surface | null {
    return this.#player?.surface() ?? null;
  }

  /** Plays on when the snapshot says `blocked`; to be called at a viewer's gesture. */
  resume(): void {
    this.#player?.resume();
  }

  #receive(snapshot: PlayerSnapshot, shown: ShownFrame[]): void {
    this.#snapshot = snapshot;
    this.#shown.push(...shown);
    if (this.#shown.length > SHOWN_MAX) this.#shown = this.#shown.slice(-SHOWN_MAX);
    this.#notify();
  }

  #conclude(state: PlayerState): void {
    this.#snapshot = { ...NOTHING_YET, state };
    this.#notify();
  }

  #notify(): void {
    for (const listener of this.#listeners) listener();
  }
}
