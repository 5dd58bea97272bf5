/** What the ways of playing a broadcast have in common. */

import type { CodeName, LinkKey } from '@steadycast/codec-glue';
import type { ConnectionState, RelayEndpoint } from '../session/index.ts';
import type { PlayerSnapshot } from './messages.ts';
import type { Progress } from './race.ts';
import type { ShownFrame } from './records.ts';
import type { SoundWish } from './sound/wish.ts';
import type { PlayoutMode } from './spread.ts';
import type { StateMachine } from './state.ts';

/** Where the picture is. */
export type Surface = HTMLCanvasElement | HTMLVideoElement;

/** A player on one transport, from its start to its stop. */
export interface Playback {
  /** The element with the newest picture; null: it has none yet. It may become another one. */
  surface(): Surface | null;
  /** Leaves the broadcast; the last picture stays. */
  stop(): void;
  /** What frames that come unevenly are shown by. */
  setPlayout(mode: PlayoutMode): void;
  /** Draws the picture once more, so that a capture that just began sees it. */
  redraw(): void;
  /** To be called at a viewer's gesture, when the browser would not play by itself. */
  resume(): void;
  /** Whether it is to be heard, and how loud; nothing is until it was said. */
  setSound(wish: SoundWish): void;
}

export interface PlaybackOptions {
  /** An element of its own, to put its picture into. */
  place: HTMLElement;
  origin: string;
  token: string;
  /** Of the link to a private broadcast; null: it has none. */
  key: LinkKey | null;
  playout: PlayoutMode;
  /** What the relay has said of itself before. */
  endpoint?: RelayEndpoint | undefined;
  onSnapshot: (snapshot: PlayerSnapshot, shown: ShownFrame[]) => void;
  onProgress: (progress: Progress) => void;
}

/** Refusals that say something of the broadcast or of the token, not of the transport. */
const FOR_ALL: ReadonlySet<CodeName> = new Set([
  'done',
  'broadcast_ended',
  'held_too_long',
  'superseded',
  'unauthorized',
  'wrong_role',
  'token_expired',
  'unknown_broadcast',
  'revoked',
  'kicked',
]);

/** Tells what a connection that is not open means to the viewer. */
export function tellMachine<S>(
  machine: StateMachine,
  state: Exclude<ConnectionState<S>, { kind: 'open' }>,
  nowMs: number,
): void {
  switch (state.kind) {
    case 'connecting':
      machine.connecting(state.attempt);
      break;
    case 'lost':
      machine.lost(nowMs);
      break;
    case 'refused':
      machine.refused(state.code, state.message);
      break;
    case 'unsupported':
      machine.unsupported('webtransport');
      break;
  }
}

/** How a connection's state counts in the race; null: it does not. */
export function progressOf<S>(state: ConnectionState<S>): Progress | null {
  switch (state.kind) {
    case 'connecting':
      return null;
    case 'opening':
      return state.brokeOff ? 'reopening' : 'opening';
    case 'open':
      return 'open';
    case 'lost':
      return state.handshakes > 0 ? 'failed' : 'down';
    case 'refused':
      return state.code !== null && FOR_ALL.has(state.code) ? 'over' : 'impossible';
    case 'unsupported':
      return 'impossible';
  }
}
