import { connection as deConnection } from './de/connection.ts';
import { connection as enConnection } from './en/connection.ts';
import { spoken } from './language.ts';

/** Why there is no connection; said by workers, too. */
export const connectionWords = () => spoken({ en: enConnection, de: deConnection });
