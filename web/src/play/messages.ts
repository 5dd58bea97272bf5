/** What the page and the player's worker say to each other. */

import type { LinkKey } from '@steadycast/codec-glue';
import type { PrivacyFacts } from '../privacy/private-broadcast.ts';
import type { RelayEndpoint } from '../session/endpoint.ts';
import type { CarrierName } from '../session/transport.ts';
import type { CarriedAnswer, CarriedWord } from './carried/words.ts';
import { type Footing, NO_FOOTING } from './footing.ts';
import type { Progress, TransportName } from './race.ts';
import { NO_RECORDS, type PlayerRecords, type ShownFrame } from './records.ts';
import type { PictureTarget } from './renderer.ts';
import type { Slow } from './slowness.ts';
import type { HeardAt } from './sound/messages.ts';
import type { PlayoutMode } from './spread.ts';
import type { PlayerState } from './state.ts';

export type ToWorker =
  /** There will be a `start` for this relay soon. */
  | { type: 'prepare'; origin: string; carrier: CarrierName }
  /** What the page has been told of that relay meanwhile; null: nothing. */
  | { type: 'endpoint'; endpoint: RelayEndpoint | null }
  | {
      type: 'start';
      canvas: PictureTarget;
      origin: string;
      token: string;
      /** Of the link, where it has one. */
      key: LinkKey | null;
      playout: PlayoutMode;
      carrier: TransportName;
      /** What is known of the relay; null: nothing. */
      endpoint: RelayEndpoint | null;
    }
  | { type: 'playout'; mode: PlayoutMode }
  /** Draw the picture once more, for a capture of the canvas that just began. */
  | { type: 'redraw' }
  /** What was seen of a picture that the page shows. */
  | { type: 'looked'; blank: boolean }
  /** Whether anybody can see the page. */
  | { type: 'hidden'; hidden: boolean }
  /** Sound goes to the audio worklet behind this port; null: nobody listens. */
  | { type: 'listen'; port: MessagePort | null }
  /** When the page's browser plays what. */
  | { type: 'heard'; at: HeardAt }
  /** Of the page's WebRTC sessions. */
  | { type: 'carried'; word: CarriedWord }
  | { type: 'stop' };

export type FromWorker =
  /** On every change of state, and a few times per second. */
  | { type: 'snapshot'; snapshot: PlayerSnapshot; shown: ShownFrame[] }
  | { type: 'progress'; progress: Progress }
  /** For the page's WebRTC session. */
  | { type: 'carried'; answer: CarriedAnswer }
  | { type: 'stopped' };

export interface PlayerSnapshot {
  state: PlayerState;
  records: PlayerRecords;
  /** A codec that this browser cannot decode, while the broadcast uses it. */
  undecodable: string | null;
  /** How it stands with a private broadcast; null: it is none, as far as is known. */
  privacy: PrivacyFacts | null;
  /** The broadcast's id, once known. */
  broadcast: string | null;
  /** What brings the picture; null: nothing so far. */
  transport: TransportName | null;
  /** The network carries less than the picture needs; null: it does not. */
  slow: Slow | null;
  /** The browser plays only after a touch or a click. */
  blocked: boolean;
  sound: HeardSound;
  /** How it stands with the relay. */
  footing: Footing;
}

/** How it stands with the sound. */
export interface HeardSound {
  /**
   * none: the broadcast has none; off: the viewer wants none; blocked: the browser plays it only after a touch or a
   * click; starting: it is on its way; on: it is heard.
   */
  state: 'none' | 'off' | 'blocked' | 'starting' | 'on';
}

export const NO_SOUND: HeardSound = Object.freeze({ state: 'none' });

/** Before the first word of any player. */
export const NOTHING_YET: PlayerSnapshot = Object.freeze({
  state: { kind: 'connecting', attempt: 1 } as const,
  undecodable: null,
  privacy: null,
  broadcast: null,
  transport: null,
  slow: null,
  blocked: false,
  sound: NO_SOUND,
  footing: NO_FOOTING,
  records: NO_RECORDS,
});
