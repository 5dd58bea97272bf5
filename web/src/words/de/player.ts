import type { player as english } from '../en/player.ts';

const titled = (title: string, detail: string) => ({ title, detail });
const ended = (badge: string, title: string, detail: string) => ({ badge, title, detail });

export const player: typeof english = {
  region: 'Übertragung',
  picture: (title) => (title === null ? 'Geteilter Bildschirm' : `Geteilter Bildschirm: ${title}`),

  ready: 'Bereit',
  tap: 'Zum Abspielen tippen',
  joining: { badge: 'Verbinden', title: 'Verbinden…' },
  joiningLong: 'Der Server antwortet noch nicht. Diese Seite versucht es weiter.',
  live: 'Live',
  rest: 'Live, Bildschirm ruht',
  away: ended(
    'Host abwesend',
    'Der Host ist gerade weg',
    'Du siehst das letzte Bild. Es geht von selbst weiter, sobald der Host zurück ist.',
  ),
  paused: ended(
    'Pause',
    'Der Host hat das Bild angehalten',
    'Es geht von selbst weiter, sobald der Host so weit ist.',
  ),
  locked: {
    keyless: ended(
      'Verschlüsselt',
      'Diesem Link fehlt der Schlüssel',
      'Die Übertragung ist verschlüsselt. Bitte den Host um den ganzen Link, oder öffne ihn noch einmal.',
    ),
    foreign: ended(
      'Verschlüsselt',
      'Der Schlüssel dieses Links passt nicht',
      'Was der Host teilt, ist mit einem anderen Schlüssel verschlüsselt als dem dieses Links. Bitte den Host um einen neuen.',
    ),
  },
  meddled: titled(
    'Etwas auf dem Weg hat das Bild verändert',
    'Was verändert wurde, ist nicht zu sehen. Es geht weiter mit dem, was der Host gesendet hat. Sag es dem Host.',
  ),
  private: 'Verschlüsselt: Nur wer den Link hat, kann das sehen',
  compare: 'Der Host sieht denselben Code:',
  captured: (time) => `Neuestes Bild von ${time}, nach der Uhr des Hosts`,
  preparing: ended(
    'Vorbereiten',
    'Eine Fassung für diesen Browser wird vorbereitet',
    'Was der Host sendet, kann er nicht zeigen. Eine andere Fassung ist unterwegs.',
  ),
  undecodable: {
    badge: 'Kein Bild hier',
    title: 'Dieser Browser kann das Bild nicht zeigen',
    detail: (codec) =>
      `Der Host teilt${codec === null ? '' : ` als ${codec}`} und kann keine Fassung für diesen Browser machen. Ein aktueller Chrome, Edge oder Firefox kann es zeigen; wählt der Host ein anderes Format, geht es hier von selbst weiter.`,
  },
  waiting: ended(
    'Warten',
    'Warten auf den Host',
    'Du bist verbunden. Das Bild erscheint hier, sobald das Teilen beginnt.',
  ),
  reconnecting: ended(
    'Neu verbinden',
    'Verbindung verloren, sie wird neu aufgebaut',
    'Das letzte Bild bleibt, bis die Verbindung wieder da ist.',
  ),
  reconnectingCovered: 'Der Host hatte das Bild angehalten.',
  slow: {
    badge: 'Langsames Netz',
    title: 'Langsames Netz',
    detail: (rate) =>
      `Deine Verbindung trägt${rate === null ? '' : ` etwa ${rate},`} weniger, als das Bild braucht: weniger Bilder pro Sekunde.`,
  },
  undecoded: {
    title: 'Dieser Browser kann das Bild nicht dekodieren',
    detail: (codec) =>
      `Der Host teilt als ${codec}. Er kann ein anderes Format wählen; dann geht es hier von selbst weiter. Ein aktueller Chrome oder Edge auf einem Computer kann es jetzt abspielen.`,
  },
  since: (time, elapsed) => `seit ${time} · ${elapsed}`,

  ended: { badge: 'Beendet', title: 'Die Übertragung ist beendet' },
  endedByHost: 'Danke fürs Zuschauen. Du kannst diese Seite schließen.',
  endedByAbsence:
    'Der Host ist nicht rechtzeitig zurückgekommen. Bitte ihn um einen neuen Link, wenn er wieder teilt.',
  withoutToken: ended(
    'Kein Link',
    'Öffne deinen Link noch einmal',
    'Die Adresse dieser Seite öffnet eine Übertragung nur in dem Browser, der schon da war. Nimm den Link, der dir geschickt wurde, oder bitte den Host um einen neuen.',
  ),
  refused: {
    token_expired: ended(
      'Abgelaufen',
      'Dieser Link ist abgelaufen',
      'Bitte den Host um einen neuen.',
    ),
    revoked: ended(
      'Link beendet',
      'Dieser Link gilt nicht mehr',
      'Der Host hat neue Links gemacht. Bitte ihn um den neuen.',
    ),
    kicked: ended(
      'Entfernt',
      'Du wurdest aus dieser Übertragung entfernt',
      'Der Host hat deine Sitzung beendet.',
    ),
    unauthorized: ended(
      'Kein Zugang',
      'Dieser Link öffnet keine Übertragung',
      'Vielleicht wurde er unterwegs abgeschnitten. Kopiere den ganzen Link, oder bitte den Host um einen neuen.',
    ),
    unknown_broadcast: ended(
      'Nicht gefunden',
      'Diese Übertragung ist vorbei',
      'Der Server kennt sie nicht mehr. Bitte den Host um einen neuen Link.',
    ),
    unsupported_version: ended(
      'Veraltet',
      'Diese Seite ist älter als der Server',
      'Lade die Seite neu, dann hast du die aktuelle Fassung.',
    ),
    otherwise: ended(
      'Nicht verbunden',
      'Die Übertragung ließ sich nicht öffnen',
      'Lade die Seite neu, um es noch einmal zu versuchen. Hilft das nicht, sag dem Host Bescheid.',
    ),
  },
  unsupportedBadge: 'Hier nicht möglich',
  unsupported: {
    webkit: titled(
      'Bitte öffne diesen Link in einem anderen Browser',
      'Safari und alle Browser auf iPhone und iPad können nicht abspielen, was dieser Server anbietet. Chrome, Edge oder Firefox auf einem Computer oder unter Android können es.',
    ),
    webtransport: titled(
      'Dieser Browser ist zu alt für diese Übertragung',
      'Ein aktueller Chrome, Edge oder Firefox kann sie abspielen, sofern WebRTC dort nicht abgeschaltet ist.',
    ),
    decoder: titled(
      'Dieser Browser kann das Bild nicht dekodieren',
      'Ein aktueller Chrome, Edge oder Firefox kann diese Übertragung abspielen.',
    ),
    canvas: titled(
      'Dieser Browser kann das Bild nicht zeigen',
      'Ein aktueller Chrome, Edge oder Firefox kann diese Übertragung abspielen.',
    ),
    udp: titled(
      'Dieses Netz bringt kein Bild zu diesem Browser',
      'Es lässt kein UDP durch, und über TCP kann dieser Browser nicht abspielen. Ein aktueller Chrome, Edge oder Firefox kann es, und vielleicht ein anderes Netz. Diese Seite versucht es weiter.',
    ),
    blocked: titled(
      'Das Bild kommt von hier aus nicht durch',
      'Der Server antwortet, aber weder WebTransport noch WebRTC noch WebSocket kommt bis zu ihm durch. Versuch es in einem anderen Netz, oder frag, wer dieses oder den Server betreibt. Diese Seite versucht es weiter.',
    ),
    sealed: titled(
      'Dieser Browser kann diese verschlüsselte Übertragung nicht öffnen',
      'Nur wer den Link hat, kann sie sehen; der Browser muss sie also selbst entschlüsseln. Ein aktueller Chrome, Edge, Firefox oder Safari kann das.',
    ),
    insecure: titled(
      'Diese Seite wurde ohne Verschlüsselung geöffnet',
      'Nimm den Link genau so, wie der Host ihn dir gegeben hat; er beginnt mit https.',
    ),
  },
  adminLink: {
    badge: 'Link zum Teilen',
    title: 'Das ist der Link zum Teilen',
    detail:
      'Wer ihn hat, kann hier seinen Bildschirm teilen; behalte ihn also für dich. Zum Zuschauen öffne den Link für Zuschauer, den das Bedienfeld hat.',
    action: 'Bedienfeld öffnen',
  },

  motion: 'Bewegung',
  motionNow: (name) => `Bewegung: ${name}`,
  ways: {
    automatic: {
      name: 'Automatisch',
      detail: 'Ganz nah an live; glättet die Bewegung, wenn das Netz es braucht.',
    },
    live: {
      name: 'So live wie möglich',
      detail: 'Jedes Bild, sobald es da ist, auch wenn die Bewegung ruckelt.',
    },
    smooth: {
      name: 'Gleichmäßig',
      detail: 'Ruhige Bewegung, in einem schlechten Netz bis zu einer halben Sekunde später.',
    },
  },
  sound: {
    name: 'Ton',
    mute: 'Stummschalten',
    unmute: 'Ton hören',
    volume: 'Lautstärke',
    tap: 'Tippen für Ton',
  },
  buttons: {
    details: 'Details',
    save: 'Bild speichern',
    fill: 'Fenster füllen',
    pictureInPicture: 'Bild im Bild',
    fullscreen: 'Vollbild',
    whole: 'Ganzes Bild zeigen',
    aside: 'Hinweis weglegen',
    bring: 'Hinweis wieder zeigen',
  },
  latency: 'Vom Bildschirm des Hosts zu deinem',

  shortcuts: {
    button: 'Tastenkürzel',
    title: 'Tastenkürzel',
    single: 'Einzelne Tasten wirken überall auf dieser Seite',
    singleDetail: 'Ist das aus, wirken sie nur, solange das Bild den Fokus hat.',
    close: 'Schließen',
    keys: {
      closer: 'Näher heran',
      farther: 'Weiter weg',
      walk: 'Bild verschieben',
      shortcuts: 'Diese Liste',
    },
    arrows: 'Pfeiltasten',
  },

  figures: {
    picture: 'Bild',
    connection: 'Verbindung',
    latency: 'Verzögerung p50 / p95',
    roundTrip: 'Umlaufzeit',
    held: 'Zurückgehalten für ruhige Bewegung',
    first: 'Erstes Bild nach',
    gap: 'Größte Lücke',
    frames: 'Empfangen / dekodiert / gezeigt',
    sound: 'Ton: Verzögerung / ergänzt',
    black: 'Schwarze Bilder',
    lost: 'Verworfene Bilder / verlorene Pakete',
    skips: 'Sprünge / späte Bilder',
    decoder: 'Fehler des Decoders',
    sessions: 'Sitzungen geöffnet / geschlossen',
  },
};
