import type { viewers as english } from '../en/viewers.ts';
import { count, listed } from '../numbers.ts';

export const viewers: typeof english = {
  title: 'Zuschauer',
  nobody: 'Noch sieht niemand zu.',
  untold: 'Dieses Relay sagt nicht, wie es den Zuschauern geht.',
  asking: 'Das Relay wird gefragt…',
  incomplete: (relays) =>
    relays.length === 1
      ? `Das Relay ${listed(relays)} antwortet nicht. Wer dort zusieht, fehlt hier.`
      : `Die Relays ${listed(relays)} antworten nicht. Wer dort zusieht, fehlt hier.`,
  states: {
    live: 'live',
    behind: 'hinterher',
    light: 'mit leichterer Fassung',
    waiting: 'ohne Bild',
    away: 'abwesend',
  },
  statesLabel: 'Wie es ihnen geht',
  transports: { webtransport: 'WebTransport', webrtc: 'WebRTC', websocket: 'WebSocket' },
  over: (transport, viewers) => `${viewers} über ${transport}`,
  latency: {
    title: 'Verzögerung, von deinem Bildschirm zu ihrem',
    p50: 'Die Hälfte binnen',
    p95: '95 von 100 binnen',
    ms: (ms) => `${ms} ms`,
    noNumber: 'nicht bekannt',
    ofSome: (told, all) => `nach Angabe von ${count(told)} der ${count(all)} Zuschauer`,
    resting: 'Wird wieder gemessen, sobald sich das Bild bewegt.',
    silent: 'Kein Zuschauer hat gesagt, wie spät seine Bilder kommen.',
    ago: (minutes) => `−${minutes} min`,
    now: 'jetzt',
    chart: 'Verzögerung in den letzten fünf Minuten.',
    chartNow: (p50, p95) =>
      `Verzögerung in den letzten fünf Minuten. Jetzt liegt die Hälfte bei höchstens ${p50} und 95 von 100 bei höchstens ${p95}.`,
    chartMost: (p95) => `Im schlimmsten Fall waren es ${p95}.`,
  },
  slow: {
    title: 'Wer weniger davon hat, und warum',
    viewer: (number) => `Zuschauer ${number}`,
    since: (duration) => `seit ${duration}`,
    more: (viewers) => (viewers === 1 ? 'und 1 weiterer' : `und ${count(viewers)} weitere`),
  },
  why: {
    undecoded: 'Die Bilder kommen an, und der Browser macht nichts daraus.',
    late: (latency) => `Die Bilder kommen ${latency} zu spät.`,
    lateFor: (latency, rate) => `Die Bilder kommen ${latency} zu spät: Das Netz schafft ${rate}.`,
    skips:
      'Das Netz ist zu langsam: Bilder werden ausgelassen, damit die anderen nicht zu spät kommen.',
    skipsFor: (rate) =>
      `Das Netz schafft ${rate}: Bilder werden ausgelassen, damit die anderen nicht zu spät kommen.`,
    light: 'Das Netz ist langsam: Es gibt eine leichtere Fassung.',
    lightFor: (rate) => `Das Netz schafft ${rate}: Es gibt eine leichtere Fassung.`,
    waiting: 'Noch kein Bild da, oder keines, das der Browser zeigen kann.',
    away: 'Die Seite ist verdeckt: hinter einem anderen Tab oder Fenster, oder minimiert.',
  },
};
