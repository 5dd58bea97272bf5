import { sound as deSound } from './de/sound.ts';
import { sound as enSound } from './en/sound.ts';
import { spoken } from './language.ts';

/** What the panel and the capture window say of the sound. */
export const soundWords = () => spoken({ en: enSound, de: deSound });
