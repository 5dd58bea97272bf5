/** What the page, which has the WebRTC session, and the worker, which opens its frames, say to each other. */

import type { ClientMessage, RelayMessage, Status } from '@steadycast/codec-glue';
import type { ClockSample } from '../../session/clock.ts';
import type { ConnectionState } from '../../session/reconnect.ts';

/** To the worker; `session` numbers the page's sessions. */
export type CarriedWord =
  /** There is no open session now. */
  | { kind: 'state'; state: Exclude<ConnectionState, { kind: 'open' }> }
  | { kind: 'open'; session: number; broadcast: string; clock: ClockSample; status: Status }
  | { kind: 'said'; session: number; message: RelayMessage }
  | { kind: 'clock'; session: number; sample: ClockSample }
  /** The relay is heard. */
  | { kind: 'heard'; session: number }
  | { kind: 'roundTrip'; session: number; ms: number };

/** To the page. */
export type CarriedAnswer =
  /** For the relay, over HTTP. */
  | { kind: 'say'; message: ClientMessage }
  /** So many frames of that session have come whole. */
  | { kind: 'frames'; session: number; frames: number };

/** What a transform is told: whose frames it takes, and of which kind. */
export interface Transformed {
  session: number;
  media: 'video' | 'audio';
}

/** A frame as RTP has brought it. */
export interface EncodedFrame {
  data: ArrayBuffer;
}

/** A worker's end of a receiver's transform, as far as it is used. */
export interface Transformer {
  readonly readable: ReadableStream<EncodedFrame>;
  readonly options: Transformed;
}
