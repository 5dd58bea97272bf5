/** The form of the quality. */
export const quality = {
  title: 'Quality',
  labels: {
    resolution: 'Resolution',
    frameRate: 'Frame rate',
    bitrate: 'Bitrate',
    codec: 'Codec',
    layers: 'Layers',
    favour: 'On slow networks',
    onEnd: 'When the window closes',
  },
  more: 'More settings',
  asCaptured: 'As captured',
  upTo: (size: string) => `Up to ${size}`,
  perSecond: (frames: number) => `${frames} per second`,
  bestForText: 'Best for text',
  favours: { sharp: 'Keep sharp', smooth: 'Keep smooth' },
  onEnds: { card: 'Viewers see a card', picture: 'Keep the last picture' },
  layerCounts: { 1: 'One, sharpest', 2: 'Two', 3: 'Three' },
  /** Of a codec that is in use in place of the one that was chosen. */
  instead: (codec: string) => `${codec} instead`,
};
