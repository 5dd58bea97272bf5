import type { figures as english } from '../en/figures.ts';

export const figures: typeof english = {
  title: 'Zahlen',
  label: 'Laufende Zahlen',
  span: 'Wie weit zurück',
  spans: { minute: '1 min', minutes: '5 min' },
  over: {
    minute: (name) => `${name} in der letzten Minute`,
    minutes: (name) => `${name} in den letzten fünf Minuten`,
  },
  between: (least, most) => `zwischen ${least} und ${most}`,
  names: {
    fps: 'Bilder pro Sekunde',
    bitrate: 'Bitrate',
    encode: 'Kodierzeit',
    roundTrip: 'Hin und zurück',
    viewers: 'Zuschauer',
    keyframes: 'Verlangte Keyframes',
  },
  notes: {
    aim: (rate) => `Ziel: ${rate}`,
    toRelay: 'zum Relay',
    toRelayOverTcp: 'zum Relay, über TCP',
    connected: 'jetzt verbunden',
    keyframesSent: (count) => `${count} gesendet`,
    offline: 'nicht verbunden',
    still: 'Bild ruht, kostet nichts',
    sharpening: 'Bild ruht, wird geschärft',
    atMost: (fps) => `höchstens ${fps}`,
  },
  details: {
    title: 'Alle Zahlen',
    framesIn: 'Aufgenommene Bilder',
    unchanged: 'davon unverändert',
    sent: 'Gesendete Bilder',
    refinements: 'davon zum Schärfen',
    fpsIn: 'Aufgenommen pro Sekunde',
    forRate: 'Ausgelassen wegen der Bildrate',
    forEncoder: 'Ausgelassen wegen des Encoders',
    forNetwork: 'Ausgelassen wegen des Netzes',
    gap: 'Längste Pause zwischen Bildern',
    bytes: 'Gesendet',
    opened: 'Sitzungen begonnen',
    lost: 'Sitzungen verloren',
    epoch: 'Epoche, Gruppe',
    failures: 'Fehler des Encoders',
    soundRate: 'Ton',
    soundSent: 'Gesendete Tonstücke',
    soundLeft: 'ausgelassene Tonstücke',
    soundGaps: 'Lücken im aufgenommenen Ton',
  },
  renditions: {
    label: 'Weitere Fassungen',
    main: 'die Hauptfassung',
    cannotForCodec: (main, codec, why) =>
      `Manche Zuschauer können ${main} nicht zeigen, und ${codec} lässt sich für sie nicht herstellen: ${why}`,
    cannotForWidth: (codec, why) =>
      `Manche Zuschauer haben ein langsames Netz, und ein leichteres ${codec} lässt sich für sie nicht herstellen: ${why}`,
    lighter: (codec, rate) => `ein leichteres ${codec} mit höchstens ${rate}`,
    lingers: (what) => `Noch kurz wird ${what} gesendet, falls es wieder jemand braucht.`,
    codecLingers: (codec) => `Noch kurz wird ${codec} gesendet, falls jemand zurückkommt.`,
    alsoForWidth: (what, viewers) =>
      viewers === 1
        ? `Dazu wird ${what} gesendet, für 1 Zuschauer mit langsamem Netz.`
        : `Dazu wird ${what} gesendet, für ${viewers} Zuschauer mit langsamem Netz.`,
    alsoForCodec: (codec, viewers, main) =>
      viewers === 1
        ? `Dazu wird ${codec} gesendet, für 1 Zuschauer, dessen Browser ${main} nicht zeigen kann.`
        : `Dazu wird ${codec} gesendet, für ${viewers} Zuschauer, deren Browser ${main} nicht zeigen können.`,
  },
};
