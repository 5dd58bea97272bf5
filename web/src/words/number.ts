/** Figures as the page's language writes them. */

import { language } from './language.ts';

/** With one digit after the point, or the comma. */
export function decimal(value: number): string {
  return value.toLocaleString(language(), { minimumFractionDigits: 1, maximumFractionDigits: 1 });
}
