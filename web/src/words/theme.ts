import { theme as deTheme } from './de/theme.ts';
import { theme as enTheme } from './en/theme.ts';
import { spoken } from './language.ts';

/** The choice between light and dark, which all pages have. */
export const themeWords = () => spoken({ en: enTheme, de: deTheme });
