/** Light, dark, or as the system has it: what was chosen in this browser, for all pages of this relay. */

export type Theme = 'system' | 'light' | 'dark';

export const THEMES: readonly Theme[] = ['system', 'light', 'dark'];

/** Where it is kept; the documents read it before anything is painted. */
export const THEME_KEY = 'steadycast-theme';

/** What this page has now. */
export function theme(): Theme {
  return themeOf(document.documentElement.dataset['theme']);
}

/** For this page and all others that are open, and for those to come where the browser keeps anything. */
export function chooseTheme(chosen: Theme): void {
  apply(chosen);
  try {
    if (chosen === 'system') localStorage.removeItem(THEME_KEY);
    else localStorage.setItem(THEME_KEY, chosen);
  } catch {
    // It holds for as long as the page is open.
  }
}

/** Calls `changed` whenever the theme is chosen in another page; returns how to end that. */
export function followTheme(changed: () => void): () => void {
  const heard = ({ key, newValue }: StorageEvent) => {
    if (key !== THEME_KEY && key !== null) return;
    apply(themeOf(newValue));
    changed();
  };
  addEventListener('storage', heard);
  return () => removeEventListener('storage', heard);
}

function apply(chosen: Theme): void {
  if (chosen === 'system') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = chosen;
}

function themeOf(kept: string | null | undefined): Theme {
  return kept === 'light' || kept === 'dark' ? kept : 'system';
}
