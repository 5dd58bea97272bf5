export const figures = {
  title: 'Figures',
  label: 'Live figures',
  span: 'How far back',
  spans: { minute: '1 min', minutes: '5 min' },
  over: {
    minute: (name: string) => `${name} over the last minute`,
    minutes: (name: string) => `${name} over the last five minutes`,
  },
  between: (least: string, most: string) => `between ${least} and ${most}`,
  names: {
    fps: 'Frames per second',
    bitrate: 'Bitrate',
    encode: 'Encode time',
    roundTrip: 'Round trip',
    viewers: 'Viewers',
    keyframes: 'Keyframe requests',
  },
  notes: {
    aim: (rate: string) => `aims at ${rate}`,
    toRelay: 'to the relay',
    toRelayOverTcp: 'to the relay, over TCP',
    connected: 'connected now',
    keyframesSent: (count: string) => `${count} sent`,
    offline: 'not connected',
    still: 'picture at rest, costs nothing',
    sharpening: 'at rest, sharpening',
    atMost: (fps: string) => `at most ${fps}`,
  },
  details: {
    title: 'All figures',
    framesIn: 'Frames captured',
    unchanged: 'of them unchanged',
    sent: 'Frames sent',
    refinements: 'of them sharpening',
    fpsIn: 'Captured per second',
    forRate: 'Left out for the frame rate',
    forEncoder: 'Left out for the encoder',
    forNetwork: 'Left out for the network',
    gap: 'Longest pause between frames',
    bytes: 'Sent',
    opened: 'Sessions opened',
    lost: 'Sessions lost',
    epoch: 'Epoch, group',
    failures: 'Encoder failures',
    soundRate: 'Sound',
    soundSent: 'Frames of sound sent',
    soundLeft: 'of sound left out',
    soundGaps: 'Breaks in captured sound',
  },
  renditions: {
    label: 'Other versions',
    main: 'the main version',
    cannotForCodec: (main: string, codec: string, why: string) =>
      `Some viewers cannot show ${main}, and ${codec} cannot be made for them: ${why}`,
    cannotForWidth: (codec: string, why: string) =>
      `Some viewers are on slow networks, and a lighter ${codec} cannot be made for them: ${why}`,
    lighter: (codec: string, rate: string) => `a lighter ${codec} of at most ${rate}`,
    lingers: (what: string) =>
      `Still sending ${what} for a moment, in case a viewer needs it again.`,
    codecLingers: (codec: string) =>
      `Still sending ${codec} for a moment, in case a viewer comes back.`,
    alsoForWidth: (what: string, viewers: number) =>
      viewers === 1
        ? `Also sending ${what} for 1 viewer on a slow network.`
        : `Also sending ${what} for ${viewers} viewers on slow networks.`,
    alsoForCodec: (codec: string, viewers: number, main: string) =>
      viewers === 1
        ? `Also sending ${codec} for 1 viewer whose browser cannot show ${main}.`
        : `Also sending ${codec} for ${viewers} viewers whose browsers cannot show ${main}.`,
  },
};
