/** Plays one broadcast in one place of a page, with or without a framework. */

import type { LinkKey } from '@steadycast/codec-glue';
import { DirectPlayback } from '../play/direct.ts';
import type { FallbackOptions } from '../play/fallback.ts';
import { choosePlayout, chosenPlayout, Memory } from '../play/memory.ts';
import { NOTHING_YET, type PlayerSnapshot } from '../play/messages.ts';
import type { Surface } from '../play/playback.ts';
import type { PlayerRecords, ShownFrame } from '../play/records.ts';
import { RoamingPlayer } from '../play/roaming.ts';
import { keepSound, type SoundWish, wishedSound, within } from '../play/sound/wish.ts';
import type { PlayoutMode } from '../play/spread.ts';
import { NO_TOKEN, type PlayerState } from '../play/state.ts';
import { missingFor, possibleTransports } from '../play/support.ts';
import { WhepPlayer } from '../play/whep/player.ts';
import { isRelay } from '../session/place.ts';
import { connectionWords } from '../words/connection.ts';

export interface PlayOptions {
  /** The relay's origin, as in `https://relay.example:4443`. */
  origin: string;
  /** A play token (PROTOCOL 6). */
  token: string;
  /** What opens a private broadcast, from its link; without it nothing of one is seen. */
  key?: LinkKey | null | undefined;
  /**
   * How frames that come unevenly are shown: `live` as they come, `smooth` evenly and a little
   * later, `automatic` smooth where the path needs it. What was chosen here before when left out.
   */
  playout?: PlayoutMode | undefined;
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
  sound(): SoundWish;
  setSound(wish: Partial<SoundWish>): void;
  redraw(): void;
  surface(): Surface | null;
  resume(): void;
}

const SHOWN_MAX = 2_000;
const STARTERS: FallbackOptions['start'] = {
  webtransport: (options) => new DirectPlayback('webtransport', options),
  whep: (options) => {
    if (options.key !== null) return new DirectPlayback('whep', options);
    const player = new WhepPlayer(options);
    void player.run();
    return player;
  },
  websocket: (options) => new DirectPlayback('websocket', options),
};

/** What is played, and how. */
interface Wanted extends PlayOptions {
  key: LinkKey | null;
  playout: PlayoutMode;
}

export class PlayerStreamService implements PlayerService {
  /** What pictures are put into: it is moved into a place as a whole. */
  #layers: HTMLElement | null = null;
  /** What plays already and has no place yet; null: nothing. */
  #begun: Wanted | null = null;
  readonly #listeners = new Set<() => void>();
  #player: RoamingPlayer | null = null;
  #snapshot = NOTHING_YET;
  #shown: ShownFrame[] = [];
  #playout: PlayoutMode = chosenPlayout();
  #sound: SoundWish = wishedSound();

  /**
   * Plays before there is a place for it, while the page is still making itself. A `start` that asks
   * for the same gives it its place; any other one begins anew.
   */
  begin(options: PlayOptions): void {
    const wanted = this.#wanted(options);
    this.#play(wanted);
    this.#begun = wanted;
  }

  /**
   * Plays inside `place`, which is emptied first and should be positioned, until `stop`: over
   * WebTransport where that works, else over WebRTC, and where no UDP comes through over WebSocket.
   */
  start(place: HTMLElement, options: PlayOptions): void {
    const wanted = this.#wanted(options);
    const begun = this.#begun;
    this.#begun = null;
    if (begun === null || !isSame(begun, wanted)) this.#play(wanted);
    place.replaceChildren(...(this.#layers === null ? [] : [this.#layers]));
    // Browsers may have put a video to rest that nobody could see.
    this.#player?.resume();
  }

  /** Leaves the broadcast; the last picture stays. */
  stop(): void {
    this.#begun = null;
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

  /** What is wished for; what is heard the snapshot says (`sound`). The same object until another wish. */
  sound = (): SoundWish => this.#sound;

  /**
   * Whether sound is heard, and how loud (0 to 1), at once and for later visits. When the snapshot says that the
   * browser has blocked it, `{ on: true }` at a viewer's gesture has it heard.
   */
  setSound({ on = this.#sound.on, volume = this.#sound.volume }: Partial<SoundWish>): void {
    this.#sound = { on, volume: within(volume) };
    keepSound(this.#sound);
    this.#player?.setSound(this.#sound);
    this.#notify();
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

  #wanted({ origin, token, key, playout }: PlayOptions): Wanted {
    return { origin, token, key: key ?? null, playout: playout ?? this.#playout };
  }

  #play({ origin, token, key, playout }: Wanted): void {
    this.stop();
    this.#layers = null;
    this.#playout = playout;
    this.#snapshot = NOTHING_YET;
    this.#shown = [];
    const missing = missingFor(key !== null);
    const possible = possibleTransports(key !== null);
    if (possible.length === 0) {
      this.#conclude({ kind: 'unsupported', reason: missing ?? 'webtransport' });
    } else if (!isRelay(origin)) {
      const message = connectionWords().noRelay(origin);
      this.#conclude({ kind: 'refused', reason: null, message });
    } else if (token === '') {
      this.#conclude({ kind: 'refused', reason: 'unauthorized', message: NO_TOKEN });
    } else {
      const onSnapshot = (snapshot: PlayerSnapshot, shown: ShownFrame[]) => {
        this.#receive(snapshot, shown);
      };
      const memory = new Memory(origin);
      const place = document.createElement('div');
      // Pictures are laid out by the place that they are in.
      place.style.display = 'contents';
      this.#layers = place;
      const sound = this.#sound;
      const wanted = {
        place,
        origin,
        token,
        key,
        playout,
        possible,
        missing,
        memory,
        sound,
        onSnapshot,
      };
      this.#player = new RoamingPlayer({ ...wanted, start: STARTERS });
      this.#notify();
    }
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

function isSame(one: Wanted, other: Wanted): boolean {
  const names = ['origin', 'token', 'key', 'playout'] as const;
  return names.every((name) => one[name] === other[name]);
}
