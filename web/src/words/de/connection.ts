import type { connection as english } from '../en/connection.ts';

export const connection: typeof english = {
  restarting: 'der Server startet gerade neu',
  silent: 'der Server antwortet nicht',
  answered: (status) => `der Server hat mit ${status} geantwortet`,
  strange: 'der Server hat so geantwortet, dass diese Seite es nicht versteht',
  closed: 'der Server hat die Sitzung geschlossen',
  unheard: 'vom Server ist nichts zu hören',
  unopened: 'die Sitzung ließ sich nicht öffnen',
  noRelay: (address: string) => `„${address}“ ist keine Adresse eines Servers`,
  unwelcome: (detail) => `der Server hat diese Seite nicht angenommen: ${detail}`,
};
