import { useEffect, useRef } from 'react';
import type { Control } from './Controls.tsx';

/** Switches controls by single keys, wherever the focus is but in a field. */
export function useShortcuts<Name extends string>(
  keys: Record<string, Name>,
  controls: Record<Name, Control>,
  onKey: () => void,
): void {
  // The newest controls without a new listener for every render.
  const newest = useRef({ controls, onKey });
  useEffect(() => {
    newest.current = { controls, onKey };
  });

  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      newest.current.onKey();
      if (event.ctrlKey || event.metaKey || event.altKey || isField(event.target)) return;
      const name = keys[event.key.toLowerCase()];
      const control = name && newest.current.controls[name];
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
    (target.isContentEditable || target.matches('input, textarea, select'))
  );
}
