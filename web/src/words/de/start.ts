import type { start as english } from '../en/start.ts';

export const start: typeof english = {
  invalid:
    'Das ist keine Einladung. Füge den ganzen Link ein, oder was nach seinem #-Zeichen steht.',
  address:
    'Das ist die Adresse einer Seite, die offen ist; anderswo öffnet sie nichts. Füge den Link ein, der dir geschickt wurde.',
};
