import { quality as deQuality } from './de/quality.ts';
import { quality as enQuality } from './en/quality.ts';
import { spoken } from './language.ts';

/** The form of the quality. */
export const qualityWords = () => spoken({ en: enQuality, de: deQuality });
