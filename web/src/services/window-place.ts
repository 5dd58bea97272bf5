/** Where the capture window opens: beside the panel where there is room, and never on its preview. */

import { clamp } from '../publish/geometry.ts';

/** Large enough for the browser's picker with the names of tabs in it. */
const WIDTH = 640;
const HEIGHT = 720;

/** What is read of a window: all in CSS pixels of the desktop. */
export interface Desk {
  screenX: number;
  screenY: number;
  outerWidth: number;
  screen: {
    availWidth: number;
    availHeight: number;
    /** Where the screen begins on a desk with several; not every browser says so. */
    availLeft?: number;
    availTop?: number;
  };
}

/** As a feature of `window.open`. */
export function placeBeside({ screenX, screenY, outerWidth, screen }: Desk): string {
  const { availWidth, availHeight, availLeft = 0, availTop = 0 } = screen;
  const width = Math.min(WIDTH, availWidth);
  const height = Math.min(HEIGHT, availHeight);
  const right = screenX + outerWidth;
  const end = availLeft + availWidth;
  const bottom = availTop + availHeight - height;
  const top = clamp(screenY, availTop, bottom);
  if (end - right >= width) return features(right, top, width, height);
  if (screenX - availLeft >= width) return features(screenX - width, top, width, height);
  // The preview is at the panel's top and left.
  return features(end - width, bottom, width, height);
}

function features(left: number, top: number, width: number, height: number): string {
  return `left=${left},top=${top},width=${width},height=${height}`;
}
