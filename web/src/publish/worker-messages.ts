/** Between a host's document and its worker. */

import type { LinkKey } from '@steadycast/codec-glue';
import type { ChannelKeys } from './sealed.ts';
import type { DeviceChoice } from './sound/choice.ts';
import type { MicrophoneFacts, SharedFacts } from './sound/facts.ts';
import type { CapturePhase, HostStatus } from './status.ts';

export type ToWorker =
  | {
      type: 'begin';
      origin: string;
      token: string;
      broadcast: string;
      /** What viewers open its frames with; null: the broadcast is not private. */
      key: LinkKey | null;
      host: string;
      startedMs: number;
      inside: boolean;
      keys: ChannelKeys;
    }
  /** Panels are elsewhere from now on. */
  | { type: 'keys'; keys: ChannelKeys }
  /** `standby`: what was asked for is to be for the admin alone. */
  | { type: 'capture'; phase: CapturePhase; reason: string | null; standby: boolean }
  | {
      type: 'source';
      readable: ReadableStream<VideoFrame>;
      surface: string;
      /** Go on as the publisher that was there before; else take the broadcast over. */
      resume: boolean;
      /** Nobody sees it until the admin goes live. */
      standby: boolean;
    }
  /** What is shared has this sound, or none. */
  | { type: 'shared'; readable: ReadableStream<AudioData> | null; facts: SharedFacts }
  | { type: 'microphone'; readable: ReadableStream<AudioData> | null; facts: MicrophoneFacts }
  | { type: 'live' }
  | { type: 'pause'; paused: boolean }
  | { type: 'muted'; muted: boolean }
  /** `card`: viewers are to see one, and not the last picture. */
  | { type: 'stop'; ended: boolean };

export type FromWorker =
  | { type: 'status'; status: HostStatus }
  /** Panels may be elsewhere by now: none is heard, or the session is a new one. */
  | { type: 'unheard' }
  /** A panel wants the screen shared, or all of it ended, or another window to take this one's place. */
  | { type: 'verb'; verb: 'start' | 'stop' | 'leave' }
  /** This microphone is to be captured while something is shared; null: none. */
  | { type: 'microphone'; device: DeviceChoice | null }
  /** Capture is of no use any more. */
  | { type: 'release' }
  /** Encoder and session are closed. */
  | { type: 'stopped' }
  /** How many frames a second the encoder takes. */
  | { type: 'frameRate'; frameRate: number };
