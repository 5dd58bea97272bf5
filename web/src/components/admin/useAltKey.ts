import { useLayoutEffect } from 'react';

/** Does something on Alt and a key, named by its place on the keyboard (`KeyP`): with Alt the letter may be another one. */
export function useAltKey(code: string, act: () => void): void {
  // Together with what is drawn: a key that comes right after does what is seen.
  useLayoutEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.code !== code || !event.altKey || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      if (!event.repeat) act();
    };
    window.addEventListener('keydown', press);
    return () => window.removeEventListener('keydown', press);
  }, [code, act]);
}
