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
  asCaptured: 'Wie aufgenommen',
  upTo: (size) => `Bis ${size}`,
  perSecond: (frames) => `${frames} pro Sekunde`,
  bestForText: 'Am besten für Text',
  favours: { sharp: 'Scharf bleiben', smooth: 'Flüssig bleiben' },
  onEnds: { card: 'Zuschauer sehen eine Karte', picture: 'Das letzte Bild behalten' },
  layerCounts: { 1: 'Eine, am schärfsten', 2: 'Zwei', 3: 'Drei' },
  instead: (codec) => `stattdessen ${codec}`,
};
