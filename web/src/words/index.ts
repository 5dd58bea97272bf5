/**
 * What the pages say, in one folder per language, a file per room. English is what the others are
 * measured by: the compiler says what one of them lacks.
 */

import { start as deStart } from './de/start.ts';
import { start as enStart } from './en/start.ts';
import { spoken } from './language.ts';

/** The start page. */
export const startWords = () => spoken({ en: enStart, de: deStart });
