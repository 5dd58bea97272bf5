/**
 * What the pages say, in one folder per language, a file per room. English is what the others are
 * measured by: the compiler says what one of them lacks.
 */

import { sharing as deSharing } from './de/sharing.ts';
import { start as deStart } from './de/start.ts';
import { sharing as enSharing } from './en/sharing.ts';
import { start as enStart } from './en/start.ts';
import { spoken } from './language.ts';

/** How an admin comes to be live. */
export const sharingWords = () => spoken({ en: enSharing, de: deSharing });

/** The start page. */
export const startWords = () => spoken({ en: enStart, de: deStart });
