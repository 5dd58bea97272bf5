import type { host as english } from '../en/host.ts';

const told = (badge: string, title: string | null, detail: string | null) => ({
  badge,
  title,
  detail,
});

export const host: typeof english = {
  states: {
    idle: told(
      'Teilt nicht',
      'Es wird nichts geteilt',
      'Zuschauer warten oder behalten das letzte Bild.',
    ),
    asking: told(
      'Bildschirm wählen',
      'Wähle, was du teilen willst',
      'Der Browser fragt im Aufnahmefenster. Das Teilen beginnt, sobald du gewählt hast.',
    ),
    'needs-gesture': told(
      'Ein Klick fehlt',
      'Der Browser will einen Klick im Aufnahmefenster',
      'Drücke dort den Knopf, oder versuche es von hier noch einmal. Bis dahin behalten Zuschauer das letzte Bild.',
    ),
    cancelled: told(
      'Teilt nicht',
      'Es wurde kein Bildschirm gewählt',
      'Es wird nichts geteilt. Versuche es noch einmal, wann immer du willst.',
    ),
    standby: told(
      'Noch nicht live',
      'Noch sieht das niemand',
      'Zuschauer bekommen es, wenn du auf der Teilen-Seite oder hier auf Sendung gehst.',
    ),
    connecting: told(
      'Verbinden',
      'Verbindung zum Server wird aufgebaut',
      'Der Bildschirm wird aufgenommen; Zuschauer sehen ihn, sobald der Server ihn hat.',
    ),
    live: told('Live', null, null),
    paused: told(
      'Pause',
      'Zuschauer sehen eine Karte statt deines Bildes',
      'Kein Bild deines Bildschirms verlässt diesen Computer, bis du es wieder zeigst.',
    ),
    reconnecting: told(
      'Neu verbinden',
      'Die Verbindung zum Server ist verloren',
      'Sie stellt sich von selbst wieder her. So lange behalten Zuschauer das letzte Bild.',
    ),
    ended: told(
      'Teilen beendet',
      'Der geteilte Bildschirm ist weg',
      'Er wurde geschlossen, oder das Teilen wurde im Browser beendet. Ein Klick teilt wieder.',
    ),
    superseded: told(
      'Übernommen',
      'Ein anderes Fenster hat diese Übertragung übernommen',
      'Zuschauer sehen jetzt jenes. Du kannst die Übertragung zurückholen.',
    ),
    refused: told('Abgelehnt', 'Der Server lehnt ab weiterzumachen', null),
    stopped: told(
      'Angehalten',
      'Das Teilen ist angehalten',
      'Aufnahme, Encoder und Verbindung sind geschlossen.',
    ),
    failed: told('Fehlgeschlagen', 'Das Teilen hat nicht geklappt', null),
  },
  presences: {
    searching: told('Suchen', 'Das Aufnahmefenster wird gesucht', null),
    none: told(
      'Teilt nicht',
      'Noch wird nichts geteilt',
      'Ein Klick öffnet ein kleines Aufnahmefenster, das nach dem Bildschirm fragt und auf Sendung geht. Diese Seite darf danach neu geladen oder geschlossen werden; das Bild geht weiter.',
    ),
    opening: told('Öffnen', 'Das Aufnahmefenster wird geöffnet', null),
    missing: told(
      'Teilt nicht',
      'Das Aufnahmefenster hat nicht geantwortet',
      'Es wurde geschlossen, oder seine Seite ist nicht geladen. Teile noch einmal; ändert sich nichts, schließe vorher jenes Fenster.',
    ),
    silent: told(
      'Keine Antwort',
      'Das Aufnahmefenster antwortet nicht',
      'Es ist da, aber beschäftigt. Bleibt das so, schließe jenes Fenster und teile noch einmal.',
    ),
  },
  aloneDetail:
    'Ein Klick fragt nach dem Bildschirm und geht auf Sendung. Diese Seite muss danach offen bleiben: Neu laden oder Schließen beendet die Aufnahme.',
  refusals: {
    token_expired:
      'Dieser Link ist abgelaufen. Lege eine neue Übertragung an, oder bitte um einen neuen Link.',
    revoked:
      'Dieser Link wurde zurückgenommen: Für diese Übertragung gibt es neuere. Bitte um einen neuen.',
    kicked: 'Wer diesen Server betreibt, hat diese Sitzung beendet.',
    unauthorized:
      'Dieser Link gilt nicht für diesen Server. Prüfe, ob er als Ganzes kopiert wurde.',
    unknown_broadcast: 'Diese Übertragung gibt es nicht mehr. Lege eine neue an.',
    broadcast_ended:
      'Die Übertragung wurde für alle beendet. Lege eine neue an, um wieder zu teilen.',
    held_too_long:
      'Die Übertragung ist zu Ende, weil zu lange niemand geteilt hat. Lege eine neue an.',
    elsewhere: 'Diese Übertragung gehört zu einem anderen Server. Teile über den Link zu jenem.',
    private:
      'Diese Übertragung ist verschlüsselt, und dieser Browser hat ihren Schlüssel nicht. Öffne den ganzen Admin-Link.',
    unsupported_version: 'Diese Seite ist älter oder neuer als der Server. Lade sie neu.',
  },
  muted: told(
    'Live, kein Bild',
    'Das geteilte Fenster gibt gerade keine Bilder',
    'Es ist minimiert oder verdeckt. Zuschauer behalten das letzte Bild.',
  ),
  cropOutside: {
    monitor: told(
      'Live, kein Bild',
      'Der Ausschnitt liegt jetzt außerhalb des geteilten Bildschirms',
      'Zuschauer behalten das letzte Bild, bis der Bildschirm wieder größer ist oder du neu zuschneidest.',
    ),
    window: told(
      'Live, kein Bild',
      'Der Ausschnitt liegt jetzt außerhalb des geteilten Fensters',
      'Zuschauer behalten das letzte Bild, bis das Fenster wieder größer ist oder du neu zuschneidest.',
    ),
    browser: told(
      'Live, kein Bild',
      'Der Ausschnitt liegt jetzt außerhalb des geteilten Tabs',
      'Zuschauer behalten das letzte Bild, bis der Tab wieder größer ist oder du neu zuschneidest.',
    ),
  },
  cropCut: {
    monitor: told(
      'Live, Teil des Ausschnitts',
      'Der geteilte Bildschirm ist kleiner geworden als der Ausschnitt',
      'Zuschauer sehen, was vom Ausschnitt übrig ist, und daneben Schwarz, bis der Bildschirm wieder größer ist.',
    ),
    window: told(
      'Live, Teil des Ausschnitts',
      'Das geteilte Fenster ist kleiner geworden als der Ausschnitt',
      'Zuschauer sehen, was vom Ausschnitt übrig ist, und daneben Schwarz, bis das Fenster wieder größer ist.',
    ),
    browser: told(
      'Live, Teil des Ausschnitts',
      'Der geteilte Tab ist kleiner geworden als der Ausschnitt',
      'Zuschauer sehen, was vom Ausschnitt übrig ist, und daneben Schwarz, bis der Tab wieder größer ist.',
    ),
  },
  slowUplink: (rate) =>
    told(
      'Live, langsames Netz',
      `Dein Netz trägt gerade ${rate}`,
      'Zuschauer bekommen weniger und gröbere Bilder, damit sie nicht zu spät kommen. Das gibt sich von selbst.',
    ),
  busyComputer: (frameRate) =>
    told(
      'Live, Computer ausgelastet',
      `Dieser Computer schafft höchstens ${frameRate} Bilder pro Sekunde`,
      'Zuschauer bekommen weniger Bilder. Eine kleinere Auflösung oder weniger Programme lassen Platz für mehr.',
    ),
  unusable: { badge: 'Unbrauchbar', title: 'Dieser Link führt nirgendwohin' },
  elsewhere: told(
    'Anderswo live',
    'Ein anderes Gerät oder ein anderer Browser teilt',
    'Wenn du von hier teilst, übernimmst du die Übertragung.',
  ),
  covered: 'Zuschauer sehen eine Karte anstelle des Bildes. Ein Klick teilt wieder.',
  askingStandby:
    'Der Browser fragt im Aufnahmefenster. Niemand sieht, was du wählst, bis du auf Sendung gehst.',
  heldTitle: 'Gerade wird nichts geteilt',
  held: (viewers) => {
    if (viewers === 0) return 'Wer dazukommt, sieht das letzte Bild. Ein Klick teilt wieder.';
    const who =
      viewers === 1
        ? 'Ein Zuschauer ist verbunden und behält'
        : `${viewers} Zuschauer sind verbunden und behalten`;
    return `${who} das letzte Bild. Ein Klick teilt wieder.`;
  },
  start: {
    takeOver: 'Von hier übernehmen',
    share: 'Bildschirm teilen',
    takeBack: 'Zurückholen',
    tryAgain: 'Noch einmal versuchen',
    again: 'Wieder teilen',
  },
  panel: {
    state: 'Zustand',
    stop: 'Teilen beenden',
    pause: 'Bild anhalten',
    show: 'Bild wieder zeigen',
    since: (duration) => `seit ${duration}`,
    retryIn: (seconds) => `Nächster Versuch in ${seconds} s`,
    retryNow: 'Versuch läuft',
    newBroadcast: 'Neue Übertragung',
    offline: 'Der Server antwortet nicht.',
    offlineSharing: 'Das Aufnahmefenster macht weiter und verbindet sich von selbst neu.',
    offlineAsking: 'Diese Seite fragt weiter; es muss nichts neu geladen werden.',
    preview: 'Vorschau des geteilten Bildschirms',
  },
  failures: {
    noPicture: 'Der Browser hat kein Bild gegeben.',
    system: 'Das Betriebssystem lässt diesen Browser den Bildschirm nicht sehen.',
    insecure:
      'Diese Seite muss über HTTPS oder auf localhost geöffnet werden: Browser lassen keine andere den Bildschirm teilen oder steuern, was ihn teilt.',
    capture: 'Bildschirmaufnahme',
    frames: 'Zugriff auf Bilder (MediaStreamTrackProcessor)',
    encoder: 'Videokodierung (WebCodecs)',
    lacks: (what) => `Diesem Browser fehlt: ${what}. Chrome und Edge haben es auf jedem Desktop.`,
    noCodec: 'Kein Codec dieses Browsers kann das Bild kodieren.',
    noEncoder: 'dieser Browser hat keinen Encoder dafür.',
  },
};
