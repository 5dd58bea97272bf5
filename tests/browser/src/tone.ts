/** A tone in the page that is captured, which is really played and really captured. */

import { pageScript } from './script.ts';

/** What tests can do to it, as `window.tone` of the captured page. */
export interface Tone {
  /** In hertz; 0: it is silent. */
  play(hertz: number): void;
}

declare global {
  interface Window {
    tone?: Tone;
  }
}

/** For pages at `path`: they capture themselves, with what they play. */
export function toneScript(path: string): string {
  return pageScript([playTones, captureItself], null, path);
}

function playTones(): void {
  captureItself();
  const context = new AudioContext();
  const oscillator = context.createOscillator();
  const gain = context.createGain();
  gain.gain.value = 0;
  oscillator.connect(gain).connect(context.destination);
  oscillator.start();
  const play = (hertz: number) => {
    void context.resume();
    if (hertz > 0) oscillator.frequency.value = hertz;
    gain.gain.value = hertz > 0 ? 0.25 : 0;
  };
  Object.defineProperty(window, 'tone', { value: { play } satisfies Tone });
}

/** The browser gives a page its own tab by itself, where it asks for that one. */
function captureItself(): void {
  const devices = navigator.mediaDevices as MediaDevices | undefined;
  if (devices === undefined) return;
  const ask = devices.getDisplayMedia.bind(devices);
  devices.getDisplayMedia = (options) => {
    const itself = { preferCurrentTab: true, selfBrowserSurface: 'include' };
    return ask({ ...options, ...itself } as DisplayMediaStreamOptions);
  };
}
