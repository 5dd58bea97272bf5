/**
 * The two scripts that stand in every document, so that its language and its theme are right from the
 * first thing that is painted. The build writes them out as they are: each has nothing but its arguments.
 */

/** In the head: the language that `words/language.ts` chooses as well, and the theme that was chosen. */
export function mark(
  root: { lang: string; dataset: Record<string, string | undefined> },
  known: readonly string[],
  wanted: readonly string[],
  kept: () => string | null,
): void {
  const primaries = wanted.map((tag) => tag.toLowerCase().split('-')[0] ?? '');
  root.lang = primaries.find((primary) => known.includes(primary)) ?? root.lang;
  try {
    const theme = kept();
    if (theme === 'light' || theme === 'dark') root.dataset['theme'] = theme;
  } catch {
    // A browser that keeps nothing has the theme of the system.
  }
}

/** At the end: the words that stand there, in that language. */
export function translate(document: Document): void {
  const { lang } = document.documentElement;
  for (const element of document.querySelectorAll<HTMLElement>('[data-words]')) {
    const { words = '{}' } = element.dataset;
    const said: Record<string, string> = JSON.parse(words)[lang] ?? {};
    for (const [name, text] of Object.entries(said)) {
      if (name === 'text') element.textContent = text;
      else element.setAttribute(name, text);
    }
    element.removeAttribute('data-words');
  }
}
