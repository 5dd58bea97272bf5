import { type RefObject, useEffect } from 'react';
import { keepFocus } from '../kept-focus.ts';

/** Where the focus goes when what had it is gone, and nothing else has asked for it: to all of it. */
export function useKeptFocus(element: RefObject<HTMLElement | null>): void {
  useEffect(() => {
    const root = element.current;
    if (root !== null) return keepFocus(root, () => root);
  }, [element]);
}
