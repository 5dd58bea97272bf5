/** Times and figures as people read them; pure. */

import { decimal } from '../../words/numbers.ts';

/** How long ago, as a running clock: 0:07, 12:30, 1:02:03. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  const two = (value: number) => String(value).padStart(2, '0');
  const hours = Math.floor(seconds / 3_600);
  const minutes = Math.floor(seconds / 60) % 60;
  const rest = two(seconds % 60);
  return hours > 0 ? `${hours}:${two(minutes)}:${rest}` : `${minutes}:${rest}`;
}

/** kbit/s below one million bits, Mbit/s above. */
export function bitrate(bitsPerSecond: number): { value: string; unit: string } {
  if (bitsPerSecond < 999_500) {
    return { value: String(Math.round(bitsPerSecond / 1_000)), unit: 'kbit/s' };
  }
  return { value: decimal(bitsPerSecond / 1_000_000, 1), unit: 'Mbit/s' };
}

/** One decimal below ten. */
export function milliseconds(ms: number | null): string {
  if (ms === null) return '–';
  return ms < 10 ? decimal(ms, 1) : String(Math.round(ms));
}

/** Frames a second; counted over two seconds, in which one more or less means nothing. */
export function wholeFrames(rate: number): string {
  return String(Math.floor(rate + 0.25));
}
