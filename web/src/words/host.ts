import { host as deHost } from './de/host.ts';
import { host as enHost } from './en/host.ts';
import { spoken } from './language.ts';

/** The capture host as admins see it; said by its worker, too. */
export const hostWords = () => spoken({ en: enHost, de: deHost });
