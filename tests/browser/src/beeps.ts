/** Flashes over the page that is captured, each with a beep, for how well picture and sound keep together. */

import { pageScript } from './script.ts';

/** As `window.beeps` of the captured page. */
export interface Beeps {
  /** From now on one every so often. */
  begin(everyMs: number): void;
  /** When they were, Unix milliseconds. */
  readonly times: number[];
}

declare global {
  interface Window {
    beeps?: Beeps;
  }
}

/** How long flash and beep last. */
const LASTS_MS = 120;
const HZ = 2_000;

/** For pages at `path`. */
export function beepScript(path: string): string {
  return pageScript([makeBeeps], { lastsMs: LASTS_MS, hz: HZ }, path);
}

function makeBeeps({ lastsMs, hz }: { lastsMs: number; hz: number }): void {
  const times: number[] = [];
  const begin = (everyMs: number) => {
    const context = new AudioContext({ sampleRate: 48_000, latencyHint: 0 });
    const gain = new GainNode(context, { gain: 0 });
    const oscillator = new OscillatorNode(context, { frequency: hz });
    oscillator.connect(gain).connect(context.destination);
    oscillator.start();
    const screen = document.createElement('div');
    screen.style.cssText =
      'position:fixed;inset:0;z-index:2147483647;background:#000;pointer-events:none';
    document.documentElement.append(screen);
    const beep = () => {
      // Whoever makes both has the beep heard when the flash is seen.
      const { contextTime = 0, performanceTime = 0 } = context.getOutputTimestamp();
      const seen = contextTime + (performance.now() - performanceTime) / 1_000;
      const at = Math.max(context.currentTime, seen);
      gain.gain.setValueAtTime(0.5, at);
      gain.gain.setValueAtTime(0, at + lastsMs / 1_000);
      times.push(performance.timeOrigin + performanceTime + (at - contextTime) * 1_000);
    };
    let nextMs = performance.now() + everyMs;
    let lit = false;
    const draw = (nowMs: number) => {
      requestAnimationFrame(draw);
      const wanted = nowMs >= nextMs && nowMs < nextMs + lastsMs;
      if (nowMs >= nextMs + lastsMs) nextMs += everyMs;
      // What does not change is not painted, and costs the page nothing.
      if (wanted === lit) return;
      lit = wanted;
      screen.style.background = lit ? '#fff' : '#000';
      if (lit) beep();
    };
    requestAnimationFrame(draw);
  };
  Object.defineProperty(window, 'beeps', { value: { begin, times } satisfies Beeps });
}
