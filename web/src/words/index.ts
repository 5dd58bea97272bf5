/**
 * What the pages say, in one folder per language, a file per room. English is what the others are
 * measured by: the compiler says what one of them lacks. What the player's page says is chosen in files of
 * its own (player.ts, theme.ts), so that it fetches no words of the others.
 */

import { desk as deDesk } from './de/desk.ts';
import { figures as deFigures } from './de/figures.ts';
import { links as deLinks } from './de/links.ts';
import { relay as deRelay } from './de/relay.ts';
import { sharing as deSharing } from './de/sharing.ts';
import { start as deStart } from './de/start.ts';
import { troubles as deTroubles } from './de/troubles.ts';
import { viewers as deViewers } from './de/viewers.ts';
import { desk as enDesk } from './en/desk.ts';
import { figures as enFigures } from './en/figures.ts';
import { links as enLinks } from './en/links.ts';
import { relay as enRelay } from './en/relay.ts';
import { sharing as enSharing } from './en/sharing.ts';
import { start as enStart } from './en/start.ts';
import { troubles as enTroubles } from './en/troubles.ts';
import { viewers as enViewers } from './en/viewers.ts';
import { spoken } from './language.ts';

/** How an admin comes to be live. */
export const sharingWords = () => spoken({ en: enSharing, de: deSharing });

/** The start page. */
export const startWords = () => spoken({ en: enStart, de: deStart });

/** The list of all broadcasts, and what stands around a panel. */
export const deskWords = () => spoken({ en: enDesk, de: deDesk });

/** Links to a broadcast, what is done with them, and its end. */
export const linkWords = () => spoken({ en: enLinks, de: deLinks });

/** What went wrong between a page and the relay, where the relay itself does not say. */
export const relayWords = () => spoken({ en: enRelay, de: deRelay });

/** The panel's figures of the host, and of the versions beside the main one. */
export const figuresWords = () => spoken({ en: enFigures, de: deFigures });

/** What the panel says of viewers. */
export const viewersWords = () => spoken({ en: enViewers, de: deViewers });

/** What the panel says that is wrong. */
export const troublesWords = () => spoken({ en: enTroubles, de: deTroubles });
