import { type RefObject, useCallback, useEffect, useState } from 'react';
import type { Surface } from '../../play/playback.ts';

/** A video on an iPhone, where nothing else may fill the screen. */
interface PhoneVideo {
  webkitEnterFullscreen(): void;
}

function isPhoneVideo(surface: Surface | null): surface is Surface & PhoneVideo {
  return surface !== null && 'webkitEnterFullscreen' in surface;
}

function isFullscreen(element: HTMLElement | null): boolean {
  const root = element?.getRootNode();
  const within = root instanceof ShadowRoot ? root : document;
  return element !== null && within.fullscreenElement === element;
}

/** Whether the element fills the screen, and how to change that. */
export function useFullscreen(
  element: RefObject<HTMLElement | null>,
  surface: () => Surface | null,
  pictured: boolean,
) {
  const [active, setActive] = useState(false);

  useEffect(() => {
    const changed = () => setActive(isFullscreen(element.current));
    document.addEventListener('fullscreenchange', changed);
    return () => document.removeEventListener('fullscreenchange', changed);
  }, [element]);

  const toggle = useCallback(() => {
    // A browser that refuses leaves the page as it is, which the viewer sees.
    if (!document.fullscreenEnabled) {
      const video = surface();
      if (isPhoneVideo(video)) video.webkitEnterFullscreen();
    } else if (document.fullscreenElement !== null) {
      document.exitFullscreen().catch(() => undefined);
    } else {
      element.current?.requestFullscreen().catch(() => undefined);
    }
  }, [element, surface]);

  const available = document.fullscreenEnabled || (pictured && isPhoneVideo(surface()));
  return { active, toggle, available };
}
