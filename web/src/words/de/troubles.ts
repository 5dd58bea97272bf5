import type { troubles as english } from '../en/troubles.ts';

export const troubles: typeof english = {
  title: 'Was nicht stimmt',
  muted: {
    title: 'Das geteilte Fenster liefert gerade keine Bilder',
    detail:
      'Es ist minimiert oder verdeckt. Zuschauer behalten das letzte Bild, bis es wieder da ist.',
  },
  uplink: {
    title: (rate) => `Dein Upload schafft ${rate}`,
    detail: (fps, asked) =>
      `Gesendet werden ${fps} statt ${asked} Bilder pro Sekunde, und gröbere, damit sie nicht zu spät kommen. Das gibt sich, sobald das Netz mehr schafft.`,
    coarser:
      'Gesendet werden gröbere Bilder, damit sie nicht zu spät kommen. Das gibt sich, sobald das Netz mehr schafft.',
  },
  encoder: {
    title: (fps) => `Dieser Rechner kodiert höchstens ${fps} Bilder pro Sekunde`,
    detail: (asked, ms) =>
      `Verlangt sind ${asked}, und eines braucht ${ms} ms. Eine kleinere Auflösung oder weniger Programme schaffen Luft.`,
  },
  capture: {
    title: (fps, asked) =>
      `Der Browser nimmt ${fps} Bilder pro Sekunde auf, verlangt sind ${asked}`,
    detail:
      'Zuschauer bekommen, was da ist. Weniger Programme oder ein kleinerer Bildschirm schaffen Luft.',
  },
  far: {
    title: (ms) => `Das Relay ist weit weg: ${ms} ms hin und zurück`,
    detail: (ms) =>
      `Jedes Bild braucht etwa ${ms} ms bis dorthin. Bei einem Relay in deiner Nähe wäre es früher da.`,
  },
  behind: {
    title: (behind, all) => `${behind} von ${all} Zuschauern sind hinterher`,
    one: 'Der einzige Zuschauer ist hinterher',
    oneOf: (all) => `1 von ${all} Zuschauern ist hinterher`,
    detail:
      'Warum, steht unter „Zuschauer“ bei jedem dabei. Die anderen werden dadurch nicht langsamer.',
  },
  waiting: {
    title: (waiting, all) => `${waiting} von ${all} Zuschauern haben kein Bild`,
    one: 'Der einzige Zuschauer hat kein Bild',
    oneOf: (all) => `1 von ${all} Zuschauern hat kein Bild`,
    detail:
      'Vielleicht kann der Browser nicht zeigen, was gesendet wird. Ein anderer Codec unter „Qualität“ kann helfen.',
  },
  tcp: {
    title: 'Über TCP: UDP kam nicht bis zum Server durch',
    detail:
      'Es wird von hier aus aufgehalten oder an der Firewall des Servers. Die Zuschauer sehen das Bild trotzdem; es kommt später, wo das Netz etwas davon verliert. Der bessere Weg wird von selbst wieder versucht.',
  },
  unreachable: {
    title: 'Der Link für Zuschauer führt nur zu diesem Rechner',
    detail:
      'Anderswo kann ihn niemand öffnen: Er nennt diesen Rechner mit einem Namen, den jeder Rechner für sich selbst hat. Öffne diese Seite unter einem Namen, den andere erreichen, und kopiere den Link dort.',
  },
};
