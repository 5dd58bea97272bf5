import { crop as deCrop } from './de/crop.ts';
import { crop as enCrop } from './en/crop.ts';
import { spoken } from './language.ts';

/** The crop and its controls. */
export const cropWords = () => spoken({ en: enCrop, de: deCrop });
