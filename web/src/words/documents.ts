/** What the build puts into the documents, in all languages; no page loads this. */

import { document as deDocument } from './de/document.ts';
import { theme as deTheme } from './de/theme.ts';
import { document as enDocument } from './en/document.ts';
import { theme as enTheme } from './en/theme.ts';
import type { Language } from './language.ts';

const ROOMS: Record<Language, Record<string, Record<string, string>>> = {
  en: { document: enDocument, theme: enTheme },
  de: { document: deDocument, theme: deTheme },
};

/** What `name` (room and key, as in `theme.dark`) is in each language; the fallback comes first. */
export function documentWords(name: string): [Language, string][] {
  const [room = '', key = ''] = name.split('.');
  return Object.entries(ROOMS).map(([language, rooms]) => {
    const words = rooms[room]?.[key];
    if (words === undefined)
      throw new Error(`a document wants words that are in no table: ${name}`);
    return [language as Language, words];
  });
}
