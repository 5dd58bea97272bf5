import { useEffect, useLayoutEffect, useRef } from 'react';
import type { Control } from './Controls.tsx';

/**
 * Switches controls by single keys: wherever the focus is but in a field, or, unless `everywhere`, on
 * the picture alone.
 */
export function useShortcuts<Name extends string>(
  keys: Record<string, Name>,
  controls: Record<Name, Control>,
  onKey: () => void,
  everywhere: boolean,
): void {
  // The newest controls without a new listener for every render.
  const newest = useRef({ controls, onKey, everywhere });
  // Together with what it draws: any other effect may come after the next key.
  useLayoutEffect(() => {
    newest.current = { controls, onKey, everywhere };
  });

  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      newest.current.onKey();
      // What it was for within a shadow root, too.
      const [target = null] = event.composedPath();
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (isField(target) || isSliders(target, event.key)) return;
      if (!newest.current.everywhere && !isPicture(target)) return;
      // What lies under an open dialog is not to be reached, by keys neither; a key that opens it closes it.
      const inDialog = target instanceof Element && target.closest('dialog') !== null;
      const name = keys[event.key.toLowerCase()];
      const control = name && newest.current.controls[name];
      if (inDialog && control?.modal !== true) return;
      if (!control?.available || (event.repeat && control.repeats !== true)) return;
      event.preventDefault();
      control.toggle();
    };
    document.addEventListener('keydown', pressed);
    return () => document.removeEventListener('keydown', pressed);
  }, [keys]);
}

function isField(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || target.matches('input:not([type="range"]), textarea, select'))
  );
}

/** A slider has the keys that move it, and no others. */
function isSliders(target: EventTarget | null, key: string): boolean {
  return target instanceof HTMLInputElement && /^(Arrow|Page|Home|End)/.test(key);
}

function isPicture(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.matches('.player-view');
}
