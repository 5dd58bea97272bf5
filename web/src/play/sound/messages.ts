/** What the player's worker and its page's audio worklet say to each other, and what the page says to the worklet. */

import type { PlayoutMode } from '../spread.ts';
import type { SoundCounts, Standing } from './player.ts';
import type { Chunk } from './samples.ts';

export type ToWorklet =
  | { type: 'chunk'; chunk: Chunk }
  /** How far behind sound is to be at least, in samples; null: the picture has no wish. */
  | { type: 'least'; samples: number | null }
  /** Nothing of what has come is to be heard any more. */
  | { type: 'quiet' };

/** From the worklet, a few times per second. */
export interface FromWorklet {
  standing: Standing;
  counts: SoundCounts;
}

/** The worklet begins with it. */
export interface WorkletOptions {
  mode: PlayoutMode;
}

/** The page's first and only word to the worklet: where sound comes from. */
export interface WorkletStart {
  port: MessagePort;
}

/** When a sample is heard. */
export interface HeardAt {
  /** The browser's count of samples. */
  frame: number;
  /** The page's clock (`localUs`). */
  localUs: number;
}

/** The name by which the worklet's processor goes. */
export const PROCESSOR = 'steadycast-sound';
