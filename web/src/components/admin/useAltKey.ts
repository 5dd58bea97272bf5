import { useEffect } from 'react';

/** Does something on Alt and a key, named by its place on the keyboard (`KeyP`): with Alt the letter may be another one. */
export function useAltKey(code: string, act: () => void): void {
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.code !== code || !event.altKey || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      if (!event.repeat) act();
    };
    window.addEventListener('keydown', press);
    return () => window.removeEventListener('keydown', press);
  }, [code, act]);
}
