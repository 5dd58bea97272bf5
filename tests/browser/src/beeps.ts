/** Flashes over the page that is captured, each with a beep, for how well picture and sound keep together. */

import { pageScript } from './script.ts';

/** As `window.beeps` of the captured page. */
export interface Beeps {
  /** From now on one every so often. */
  begin(everyMs: number): void;
  /** Bright and loud until it is told otherwise. */
  light(on: boolean): void;
  /** When it became bright and loud, Unix milliseconds. */
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

/** For pages at `path`, which are dark and silent at first, or `lit`. */
export function beepScript(path: string, { lit = false } = {}): string {
  return pageScript([makeBeeps], { lastsMs: LASTS_MS, hz: HZ, lit }, path);
}

/** How far apart each beep is from the flash, or from whatever else, that is nearest to it; later ones positive, in ms. */
export function apart(beeps: readonly number[], flashes: readonly number[]): number[] {
  return beeps.flatMap((beep) => {
    const [nearest] = flashes
      .map((flash) => beep - flash)
      .toSorted((one, other) => Math.abs(one) - Math.abs(other));
    return nearest !== undefined && Math.abs(nearest) < 400 ? [nearest] : [];
  });
}

interface Making {
  lastsMs: number;
  hz: number;
  lit: boolean;
}

function makeBeeps({ lastsMs, hz, lit }: Making): void {
  const times: number[] = [];
  const open = () => {
    const context = new AudioContext({ sampleRate: 48_000, latencyHint: 0 });
    const gain = new GainNode(context, { gain: 0 });
    const oscillator = new OscillatorNode(context, { frequency: hz });
    oscillator.connect(gain).connect(context.destination);
    oscillator.start();
    const screen = document.createElement('div');
    screen.style.cssText =
      'inset:0;width:100%;height:100%;border:0;background:#000;pointer-events:none';
    // Above all that scripts draw later.
    screen.popover = 'manual';
    document.documentElement.append(screen);
    screen.showPopover();
    return { context, gain, screen };
  };
  let opened: ReturnType<typeof open> | null = null;
  const show = (on: boolean, forMs = Number.POSITIVE_INFINITY) => {
    opened ??= open();
    const { context, gain, screen } = opened;
    screen.style.background = on ? '#fff' : '#000';
    // Whoever makes both has the beep heard when the flash is seen.
    const { contextTime = 0, performanceTime = 0 } = context.getOutputTimestamp();
    const seen = contextTime + (performance.now() - performanceTime) / 1_000;
    const at = Math.max(context.currentTime, seen);
    gain.gain.setValueAtTime(on ? 0.5 : 0, at);
    if (forMs < Number.POSITIVE_INFINITY) gain.gain.setValueAtTime(0, at + forMs / 1_000);
    if (on) times.push(performance.timeOrigin + performanceTime + (at - contextTime) * 1_000);
  };
  const begin = (everyMs: number) => {
    show(false);
    let nextMs = performance.now() + everyMs;
    let bright = false;
    const draw = (nowMs: number) => {
      requestAnimationFrame(draw);
      const wanted = nowMs >= nextMs && nowMs < nextMs + lastsMs;
      if (nowMs >= nextMs + lastsMs) nextMs += everyMs;
      // What does not change is not painted, and costs the page nothing.
      if (wanted === bright) return;
      bright = wanted;
      if (bright) show(true, lastsMs);
      else if (opened !== null) opened.screen.style.background = '#000';
    };
    requestAnimationFrame(draw);
  };
  if (lit) document.addEventListener('DOMContentLoaded', () => show(true));
  const beeps: Beeps = { begin, light: (on) => show(on), times };
  Object.defineProperty(window, 'beeps', { value: beeps });
}
