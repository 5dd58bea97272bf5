/** Points in time as people read them, in the page's language. */

import { language } from './language.ts';

const UNITS = [
  { unit: 'year', ms: 365 * 86_400_000 },
  { unit: 'month', ms: 30 * 86_400_000 },
  { unit: 'day', ms: 86_400_000 },
  { unit: 'hour', ms: 3_600_000 },
  { unit: 'minute', ms: 60_000 },
] as const;

/** Weekday, day and time, with the year where it is another one than now. Unix milliseconds. */
export function moment(atMs: number, nowMs: number): string {
  const sameYear = new Date(atMs).getFullYear() === new Date(nowMs).getFullYear();
  return new Intl.DateTimeFormat(language(), {
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    hour: 'numeric',
    minute: '2-digit',
    ...(!sameYear && { year: 'numeric' }),
  }).format(atMs);
}

/** How long ago in the largest unit that fits; null: less than a minute, or still to come. */
export function ago(atMs: number, nowMs: number): string | null {
  const passedMs = nowMs - atMs;
  const fitting = UNITS.find(({ ms }) => passedMs >= ms);
  if (fitting === undefined) return null;
  const format = new Intl.RelativeTimeFormat(language(), { numeric: 'always' });
  return format.format(-Math.floor(passedMs / fitting.ms), fitting.unit);
}

/** A number of hours, or of days where it is more than two. */
export function span(hours: number): string {
  const days = hours % 24 === 0 && hours > 24;
  const format = new Intl.NumberFormat(language(), {
    style: 'unit',
    unit: days ? 'day' : 'hour',
    unitDisplay: 'long',
  });
  return format.format(days ? hours / 24 : hours);
}
