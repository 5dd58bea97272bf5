/** What the panel and the capture window say of the sound. */
export const sound = {
  title: 'Sound',
  /** Sources, within a sentence. */
  sources: {
    tab: 'the tab’s sound',
    window: 'the window’s sound',
    system: 'this computer’s sound',
    microphone: 'your microphone',
  },
  /** The same as the names of their controls. */
  names: {
    tab: 'The tab’s sound',
    window: 'The window’s sound',
    system: 'This computer’s sound',
    microphone: 'Microphone',
  },
  and: (one: string, other: string) => `${one} and ${other}`,
  hear: (what: string) => `Viewers hear ${what}.`,
  hearPaused: (what: string) => `Viewers hear ${what}, also while the picture is paused.`,
  hearLater: (what: string) =>
    `Nobody hears anything yet. Once you are live, viewers hear ${what}.`,
  hearNothing: 'Viewers hear nothing.',
  hearNothingLater: 'Viewers will hear nothing.',
  mutedAll: 'All sound is muted: viewers hear nothing.',
  notShared:
    'Leave the sound switched on when the browser asks what to share, and viewers hear it.',
  lacks: {
    unticked:
      'The tab is shared without its sound. Share it again, and leave its sound switched on in the browser’s dialog.',
    'tabs-only':
      'Browsers on this system have the sound of tabs alone. Share a tab, and viewers hear it.',
    'not-given':
      'The browser gave no sound with it. Share again, and switch the sound on in its dialog, where it is offered.',
    ended: 'The sound of what is shared has ended. Share it again to have it back.',
  },
  problems: {
    denied:
      'The browser does not let this page listen. Allow the microphone beside the page’s address.',
    missing: 'There is no microphone.',
    unplugged: 'The microphone was unplugged.',
    busy: 'The microphone is in use by another program.',
    failed: 'The microphone does not work.',
  },
  instead: {
    missing: (name: string) =>
      `The microphone that you chose is not there. ${name} is used instead.`,
    unplugged: (name: string) => `The microphone was unplugged. ${name} is used instead.`,
  },
  listeners: (count: number) => {
    if (count === 0) return 'Sent to nobody';
    return count === 1 ? 'Sent to 1 viewer' : `Sent to ${count} viewers`;
  },
  microphoneLater: 'Your microphone goes live with it: mute it here, or choose none.',
  mute: 'Mute',
  unmute: 'Unmute',
  muteIt: (source: string) => `Mute: ${source}`,
  unmuteIt: (source: string) => `Unmute: ${source}`,
  loudness: (source: string) => `Loudness: ${source}`,
  level: (source: string) => `Level: ${source}`,
  microphone: 'Microphone',
  noMicrophone: 'None',
  useMicrophone: 'Use a microphone…',
  noneThere: 'There is no microphone.',
  unnamed: (number: number) => `Microphone ${number}`,
};
