/** Numbers and lists as the page's language writes them. */

import { language } from './language.ts';

/** With so many digits behind the decimal sign. */
export function decimal(value: number, digits: number): string {
  const { format } = new Intl.NumberFormat(language(), {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
    useGrouping: false,
  });
  return format(value);
}

/** A count, in groups of three. */
export function count(value: number): string {
  return new Intl.NumberFormat(language()).format(value);
}

/** Things one after another, as in `a, b and c`. */
export function listed(things: readonly string[]): string {
  return new Intl.ListFormat(language(), { type: 'conjunction' }).format(things);
}
