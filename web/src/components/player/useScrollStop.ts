import { type RefObject, useEffect } from 'react';

/** Lets the keyboard reach, and so scroll, an element for as long as not all of it is in sight. */
export function useScrollStop(element: RefObject<HTMLElement | null>): void {
  useEffect(() => {
    const place = element.current;
    // Tests without layout have nothing that watches sizes.
    if (place === null || typeof ResizeObserver === 'undefined') return;
    const observer = new ResizeObserver(() => {
      if (place.scrollHeight > place.clientHeight) place.tabIndex = 0;
      else if (!place.matches(':focus')) place.removeAttribute('tabindex');
    });
    observer.observe(place);
    for (const child of place.children) observer.observe(child);
    return () => observer.disconnect();
  }, [element]);
}
