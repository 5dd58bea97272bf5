import { player as dePlayer } from './de/player.ts';
import { player as enPlayer } from './en/player.ts';
import { spoken } from './language.ts';

/** The player. In a file of its own, so that its page does not fetch the words of the others. */
export const playerWords = () => spoken({ en: enPlayer, de: dePlayer });
