import { type RefObject, useCallback, useEffect, useState } from 'react';

/** Whether the element fills the screen, and how to change that. */
export function useFullscreen(element: RefObject<HTMLElement | null>) {
  const [active, setActive] = useState(false);

  useEffect(() => {
    const changed = () => setActive(document.fullscreenElement === element.current);
    document.addEventListener('fullscreenchange', changed);
    return () => document.removeEventListener('fullscreenchange', changed);
  }, [element]);

  const toggle = useCallback(() => {
    // A browser that refuses leaves the page as it is, which the viewer sees.
    if (document.fullscreenElement !== null) document.exitFullscreen().catch(() => undefined);
    else element.current?.requestFullscreen().catch(() => undefined);
  }, [element]);

  return { active, toggle, available: document.fullscreenEnabled };
}
