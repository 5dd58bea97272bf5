/** Which language the pages speak: the first of the browser's that there is a table for. */

/** A language that there is a table for, by its BCP 47 primary subtag. */
export type Language = 'en' | 'de';

export const LANGUAGES: readonly Language[] = ['en', 'de'];
const FALLBACK: Language = 'en';

/** The first of `wanted` (BCP 47, as `navigator.languages` has them) that there is a table for. */
export function languageFor(wanted: readonly string[]): Language {
  for (const tag of wanted) {
    const primary = tag.toLowerCase().split('-')[0];
    const known = LANGUAGES.find((language) => language === primary);
    if (known !== undefined) return known;
  }
  return FALLBACK;
}

let chosen: Language | null = null;

/** The language of this page, or of this worker. */
export function language(): Language {
  chosen ??= languageFor(globalThis.navigator?.languages ?? []);
  return chosen;
}

/** From now on this one, whatever the browser prefers. */
export function speak(wanted: Language): void {
  chosen = wanted;
}

/** Says so to the browser, for voices, hyphens and quotes. */
export function markLanguage(document: Document): void {
  document.documentElement.lang = language();
}

/** The table of this page's language. */
export function spoken<Table>(tables: Record<Language, Table>): Table {
  return tables[language()];
}
