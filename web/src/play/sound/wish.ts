/** What a viewer wants to hear, as this browser keeps it. */

import { browserStore, type Store } from '../store.ts';

export interface SoundWish {
  on: boolean;
  /** 0 to 1, as on a slider. */
  volume: number;
}

export const UNHEARD: SoundWish = Object.freeze({ on: false, volume: 0 });

const KEY = 'steadycast-sound';
const LOUDEST: SoundWish = Object.freeze({ on: true, volume: 1 });

/** What was wished for last, whatever the relay; sound where there is some, at first. */
export function wishedSound(store: Store | null = browserStore()): SoundWish {
  try {
    const [state, volume] = (store?.getItem(KEY) ?? '').split(' ');
    if (state !== 'on' && state !== 'off') return LOUDEST;
    return { on: state === 'on', volume: within(Number(volume)) };
  } catch {
    return LOUDEST;
  }
}

export function keepSound({ on, volume }: SoundWish, store: Store | null = browserStore()): void {
  try {
    store?.setItem(KEY, `${on ? 'on' : 'off'} ${volume}`);
  } catch {
    // Full, or forbidden: it holds for this visit.
  }
}

/** The volume as it can be set; what is none is the loudest. */
export function within(volume: number): number {
  return Number.isFinite(volume) ? Math.min(1, Math.max(0, volume)) : 1;
}

/** What samples are multiplied by: ears hear the middle of a slider as half as loud then. */
export function gainOf({ on, volume }: SoundWish): number {
  return on ? volume ** 2 : 0;
}
