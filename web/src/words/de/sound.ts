import type { sound as english } from '../en/sound.ts';

export const sound: typeof english = {
  title: 'Ton',
  sources: {
    tab: 'den Ton des Tabs',
    window: 'den Ton des Fensters',
    system: 'den Ton dieses Computers',
    microphone: 'dein Mikrofon',
  },
  names: {
    tab: 'Ton des Tabs',
    window: 'Ton des Fensters',
    system: 'Ton des Computers',
    microphone: 'Mikrofon',
  },
  and: (one, other) => `${one} und ${other}`,
  hear: (what) => `Zuschauer hören ${what}.`,
  hearPaused: (what) => `Zuschauer hören ${what}, auch während der Pause des Bildes.`,
  hearLater: (what) => `Noch hört niemand etwas. Auf Sendung hören Zuschauer ${what}.`,
  hearNothing: 'Zuschauer hören nichts.',
  hearNothingLater: 'Auf Sendung hören Zuschauer nichts.',
  mutedAll: 'Aller Ton ist stumm: Zuschauer hören nichts.',
  notShared:
    'Lass den Ton eingeschaltet, wenn der Browser fragt, was du teilen willst, dann hören ihn Zuschauer.',
  lacks: {
    unticked:
      'Der Tab ist ohne seinen Ton geteilt. Teile ihn noch einmal, und lass den Ton im Dialog des Browsers eingeschaltet.',
    'tabs-only':
      'Auf diesem System haben Browser nur den Ton von Tabs. Teile einen Tab, dann hören ihn Zuschauer.',
    'not-given':
      'Der Browser hat keinen Ton dazu gegeben. Teile noch einmal, und schalte den Ton im Dialog ein, wo er angeboten wird.',
    ended: 'Der Ton des Geteilten ist zu Ende. Teile noch einmal, um ihn zurückzuhaben.',
  },
  problems: {
    denied:
      'Der Browser lässt diese Seite nicht zuhören. Erlaube das Mikrofon neben der Adresse der Seite.',
    missing: 'Es gibt kein Mikrofon.',
    unplugged: 'Das Mikrofon wurde abgezogen.',
    busy: 'Ein anderes Programm benutzt das Mikrofon.',
    failed: 'Das Mikrofon funktioniert nicht.',
  },
  instead: {
    missing: (name) => `Das gewählte Mikrofon ist nicht da. Dafür wird ${name} benutzt.`,
    unplugged: (name) => `Das Mikrofon wurde abgezogen. Dafür wird ${name} benutzt.`,
  },
  listeners: (count) => {
    if (count === 0) return 'Geht an niemanden';
    return count === 1 ? 'Geht an 1 Zuschauer' : `Geht an ${count} Zuschauer`;
  },
  microphoneLater:
    'Dein Mikrofon geht dann mit auf Sendung: Schalte es hier stumm, oder wähle keines.',
  mute: 'Stumm schalten',
  unmute: 'Laut schalten',
  muteIt: (source) => `Stumm schalten: ${source}`,
  unmuteIt: (source) => `Laut schalten: ${source}`,
  loudness: (source) => `Lautstärke: ${source}`,
  level: (source) => `Pegel: ${source}`,
  microphone: 'Mikrofon',
  noMicrophone: 'Keines',
  useMicrophone: 'Mikrofon benutzen…',
  noneThere: 'Es gibt kein Mikrofon.',
  unnamed: (number) => `Mikrofon ${number}`,
};
