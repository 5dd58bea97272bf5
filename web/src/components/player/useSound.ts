import { useRef, useSyncExternalStore } from 'react';
import type { HeardSound } from '../../play/messages.ts';
import type { PlayerService } from '../../services/PlayerStreamService.ts';
import type { Control } from './Controls.tsx';

export interface SoundControl extends Control {
  state: HeardSound['state'];
  /** 0 to 1; what is heard, or would be; 0 while it is off. */
  volume: number;
  setVolume: (volume: number) => void;
}

/** What a key changes it by. */
const STEP = 0.1;
/** What somebody hears who had it at nothing and wants to hear it. */
const AUDIBLE = 0.5;

/**
 * The sound as the viewer has it. `active`: it is heard, or will be once there is some again: what has been there may
 * come back loud, and can be turned off before.
 */
export function useSound(service: PlayerService, { state }: HeardSound): SoundControl {
  const wish = useSyncExternalStore(service.subscribe, service.sound, service.sound);
  const known = useRef(false);
  known.current ||= state !== 'none';
  const awaited = state === 'none' && known.current && wish.on;
  const active = (state === 'on' || state === 'starting' || awaited) && wish.volume > 0;
  const toggle = () => {
    if (active) service.setSound({ on: false });
    else service.setSound({ on: true, volume: wish.volume > 0 ? wish.volume : AUDIBLE });
  };
  const setVolume = (volume: number) => service.setSound({ on: volume > 0, volume });
  const volume = active || state === 'blocked' ? wish.volume : 0;
  return { state, active, toggle, available: known.current, volume, setVolume };
}

/** What keys do to it. */
export function waysToHear({ available, volume, setVolume }: SoundControl) {
  const step = (by: number): Control => ({
    active: false,
    // In whole steps: tenths do not add up to them.
    toggle: () => setVolume(Math.round(Math.min(1, Math.max(0, volume + by)) * 100) / 100),
    available,
    repeats: true,
  });
  return { louder: step(STEP), quieter: step(-STEP) };
}
