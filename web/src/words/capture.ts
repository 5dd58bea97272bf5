import { capture as deCapture } from './de/capture.ts';
import { capture as enCapture } from './en/capture.ts';
import { spoken } from './language.ts';

/** The capture window. */
export const captureWords = () => spoken({ en: enCapture, de: deCapture });
