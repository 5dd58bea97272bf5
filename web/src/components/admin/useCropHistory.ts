import { useEffect, useRef, useState } from 'react';
import {
  type Deed,
  did,
  noPast,
  type Past,
  redo,
  type Step,
  undo,
} from '../../publish/crop-history.ts';
import { type Crop, sameCrop } from '../../publish/geometry.ts';
import type { AspectName } from './CropControls.tsx';
import { redoneWords, undoneWords } from './words.ts';

/** What undoing brings back; null as a crop is the whole picture. */
export interface CropState {
  crop: Crop | null;
  aspect: AspectName;
}

export interface CropHistory {
  /** What was undone or done again last; empty once something else has happened. */
  said: string;
  /** While it is dragged: viewers see it, but nothing is settled yet. */
  follow: (crop: Crop | null) => void;
  /** Ends what was followed. */
  commit: (next: CropState, deed: Deed, joins?: boolean) => void;
  /** Ends what was followed, and brings back how it was before. */
  cancel: () => void;
}

export interface CropEffects {
  /** The crop is on its way. */
  follow: (crop: Crop | null) => void;
  settle: (state: CropState) => void;
}

/** Every change of the crop that is made here, with Ctrl+Z and Ctrl+Shift+Z on the whole page. */
export function useCropHistory(now: CropState, effects: CropEffects): CropHistory {
  const past = useRef<Past<CropState>>(noPast());
  const held = useRef<CropState | null>(null);
  const [said, setSaid] = useState('');

  const follow = (crop: Crop | null) => {
    held.current ??= now;
    effects.follow(crop);
  };

  const commit = (next: CropState, deed: Deed, joins = false) => {
    const before = held.current ?? now;
    held.current = null;
    effects.settle(next);
    if (sameCrop(before.crop, next.crop)) return;
    past.current = did(past.current, { before, after: next, deed }, joins);
    setSaid('');
  };

  const cancel = () => {
    if (held.current !== null) effects.settle(held.current);
    held.current = null;
  };

  const go = (way: typeof undo, forward: boolean): boolean => {
    const found = way(past.current);
    if (found === null) return false;
    const { before, after }: Step<CropState> = found.step;
    const [from, to] = forward ? [before, after] : [after, before];
    // Another panel has changed it meanwhile: what was before is not what it would be put back to.
    if (!sameCrop(now.crop, from.crop)) {
      past.current = noPast();
      return false;
    }
    past.current = found.past;
    effects.settle(to);
    setSaid((forward ? redoneWords : undoneWords)(found.step.deed, to.crop));
    return true;
  };

  const onKeyDown = (event: KeyboardEvent) => {
    // What it was for within a shadow root, too.
    const [target = null] = event.composedPath();
    if (!isUndoKey(event) || isForText(target)) return;
    if (event.shiftKey ? go(redo, true) : go(undo, false)) event.preventDefault();
  };
  const latest = useRef(onKeyDown);
  latest.current = onKeyDown;
  useEffect(() => {
    const listener = (event: KeyboardEvent) => latest.current(event);
    window.addEventListener('keydown', listener);
    return () => window.removeEventListener('keydown', listener);
  }, []);

  return { said, follow, commit, cancel };
}

/** Z with Ctrl, or Cmd on a Mac. Where letters are not Latin ones, the key in that place counts. */
export function isUndoKey(
  event: Pick<KeyboardEvent, 'key' | 'code' | 'ctrlKey' | 'metaKey' | 'altKey'>,
): boolean {
  const { key, code, ctrlKey, metaKey, altKey } = event;
  if (!(ctrlKey || metaKey) || altKey) return false;
  return /^[a-z]$/i.test(key) ? key.toLowerCase() === 'z' : code === 'KeyZ';
}

/** Whether the browser undoes typing there; the crop's own numbers see to that themselves. */
function isForText(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLTextAreaElement) return !target.readOnly;
  if (!(target instanceof HTMLInputElement)) return target.isContentEditable;
  return !target.readOnly && /^(text|search|url|email|password|tel)$/.test(target.type);
}
