import type { quality as english } from '../en/quality.ts';

export const quality: typeof english = {
  title: 'Qualität',
  labels: {
    resolution: 'Auflösung',
    frameRate: 'Bildrate',
    bitrate: 'Bitrate',
    codec: 'Codec',
    layers: 'Ebenen',
    favour: 'In langsamen Netzen',
    onEnd: 'Wenn das Fenster zugeht',
  },
  more: 'Mehr Einstellungen',
  asCaptured: 'Wie aufgenommen',
  upTo: (size) => `Bis ${size}`,
  perSecond: (frames) => `${frames} pro Sek.`,
  bestForText: 'Für Text',
  favours: { sharp: 'Scharf', smooth: 'Flüssig' },
  onEnds: { card: 'Karte zeigen', picture: 'Letztes Bild' },
  layerCounts: { 1: 'Eine, scharf', 2: 'Zwei', 3: 'Drei' },
  instead: (codec) => `stattdessen ${codec}`,
};
