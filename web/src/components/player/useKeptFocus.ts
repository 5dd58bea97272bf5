import { type RefObject, useEffect } from 'react';
import { keepFocus } from '../kept-focus.ts';

/** Where the focus goes when what had it is gone: to what took its place, or to the picture. */
export function useKeptFocus(player: RefObject<HTMLElement | null>): void {
  useEffect(() => {
    const root = player.current;
    if (root === null) return;
    return keepFocus(root, (lost) => {
      const instead = lost.matches('.player-note *') ? 'button.badge' : '.player-note button';
      const noted = lost.matches('.player-note *, .badge');
      const heir = noted ? root.querySelector<HTMLElement>(instead) : null;
      return heir ?? root.querySelector<HTMLElement>('.player-view[tabindex="0"]') ?? root;
    });
  }, [player]);
}
