const told = (badge: string, title: string | null, detail: string | null) => ({
  badge,
  title,
  detail,
});

/** What admins are told of the capture host, and the buttons that steer it. */
export const host = {
  states: {
    idle: told('Not sharing', 'Nothing is shared', 'Viewers wait, or keep the last picture.'),
    asking: told(
      'Choosing a screen',
      'Choose what to share',
      'The browser asks in the capture window. Sharing begins as soon as you have chosen.',
    ),
    'needs-gesture': told(
      'One click missing',
      'The browser wants one click in the capture window',
      'Press the button there, or try again from here. Viewers keep the last picture until then.',
    ),
    cancelled: told(
      'Not sharing',
      'No screen was chosen',
      'Nothing is shared. Try again whenever you like.',
    ),
    standby: told(
      'Not live yet',
      'Nobody sees this yet',
      'Viewers get it when you go live on the sharing page, or here.',
    ),
    connecting: told(
      'Connecting',
      'Connecting to the relay',
      'The screen is captured; viewers see it as soon as the relay has it.',
    ),
    live: told('Live', null, null),
    paused: told(
      'Paused',
      'Viewers see a card instead of your picture',
      'No picture of your screen leaves this computer until you show it again.',
    ),
    reconnecting: told(
      'Reconnecting',
      'The connection to the relay is lost',
      'It is being restored by itself. Viewers keep the last picture meanwhile.',
    ),
    ended: told(
      'Sharing ended',
      'The shared screen is gone',
      'It was closed, or sharing was ended in the browser. One click shares again.',
    ),
    superseded: told(
      'Taken over',
      'Another window took this broadcast over',
      'Viewers now see that one. You can take the broadcast back.',
    ),
    refused: told('Refused', 'The relay refuses to go on', null),
    stopped: told('Stopped', 'Sharing is stopped', 'Capture, encoder and connection are closed.'),
    failed: told('Failed', 'Sharing did not work', null),
  },
  presences: {
    searching: told('Looking', 'Looking for the capture window', null),
    none: told(
      'Not sharing',
      'Nothing is shared yet',
      'One click opens a small capture window that asks for the screen and goes live. This page may then be reloaded or closed; the picture goes on.',
    ),
    opening: told('Opening', 'Opening the capture window', null),
    missing: told(
      'Not sharing',
      'The capture window has not answered',
      'It was closed, or its page did not load. Share again; if nothing changes, close that window first.',
    ),
    silent: told(
      'No answer',
      'The capture window does not answer',
      'It is there, but busy. If this stays, close that window and share again.',
    ),
  },
  aloneDetail:
    'One click asks for the screen and goes live. This page has to stay open then: reloading or closing it ends the capture.',
  refusals: {
    token_expired: 'This link has expired. Create a new broadcast, or ask for a new link.',
    revoked:
      'This link was taken back: newer ones were made for this broadcast. Ask for a new one.',
    kicked: 'Whoever runs this relay has ended this session.',
    unauthorized: 'This link is not valid for this relay. Check that it was copied as a whole.',
    unknown_broadcast: 'This broadcast does not exist any more. Create a new one.',
    broadcast_ended: 'The broadcast was ended for everyone. Create a new one to share again.',
    held_too_long: 'The broadcast ended because nobody shared for too long. Create a new one.',
    elsewhere: 'This broadcast belongs to another relay. Share from the link to that one.',
    private:
      'This broadcast is encrypted, and this browser does not have its key. Open the whole admin link.',
    unsupported_version: 'This page is older or newer than the relay. Reload it.',
  } as Record<string, string>,
  muted: told(
    'Live, no picture',
    'The shared window gives no pictures at present',
    'It is minimised or hidden. Viewers keep the last picture.',
  ),
  /** By what is shared. */
  cropOutside: {
    monitor: told(
      'Live, no picture',
      'The crop lies outside of the shared screen now',
      'Viewers keep the last picture until the screen is larger again, or you crop anew.',
    ),
    window: told(
      'Live, no picture',
      'The crop lies outside of the shared window now',
      'Viewers keep the last picture until the window is larger again, or you crop anew.',
    ),
    browser: told(
      'Live, no picture',
      'The crop lies outside of the shared tab now',
      'Viewers keep the last picture until the tab is larger again, or you crop anew.',
    ),
  },
  cropCut: {
    monitor: told(
      'Live, part of the crop',
      'The shared screen has become smaller than the crop',
      'Viewers see what is left of the crop, and black beside it, until the screen is larger again.',
    ),
    window: told(
      'Live, part of the crop',
      'The shared window has become smaller than the crop',
      'Viewers see what is left of the crop, and black beside it, until the window is larger again.',
    ),
    browser: told(
      'Live, part of the crop',
      'The shared tab has become smaller than the crop',
      'Viewers see what is left of the crop, and black beside it, until the tab is larger again.',
    ),
  },
  slowUplink: (rate: string) =>
    told(
      'Live, slow network',
      `Your network carries ${rate} at present`,
      'Viewers get fewer and coarser pictures, so that they are not late. It mends itself.',
    ),
  busyComputer: (frameRate: number) =>
    told(
      'Live, busy computer',
      `This computer encodes ${frameRate} pictures a second at most`,
      'Viewers get fewer pictures. A smaller resolution, or fewer programs, leave room for more.',
    ),
  unusable: { badge: 'Unusable', title: 'This link leads nowhere' },
  elsewhere: told(
    'Live elsewhere',
    'Another device or browser is sharing',
    'Sharing from here takes the broadcast over.',
  ),
  /** Nobody shares, and the picture of before was taken back. */
  covered: 'Viewers see a card in place of the picture. One click shares again.',
  askingStandby:
    'The browser asks in the capture window. Nobody sees what you choose until you go live.',
  heldTitle: 'Nothing is shared at present',
  /** Nobody shares, and the picture of before stands. */
  held: (viewers: number) => {
    if (viewers === 0) return 'Whoever joins sees the last picture. One click shares again.';
    const who =
      viewers === 1
        ? 'One viewer is connected and keeps'
        : `${viewers} viewers are connected and keep`;
    return `${who} the last picture. One click shares again.`;
  },
  start: {
    takeOver: 'Take over from here',
    share: 'Share screen',
    takeBack: 'Take back',
    tryAgain: 'Try again',
    again: 'Share again',
  },
  panel: {
    state: 'State',
    stop: 'Stop sharing',
    pause: 'Pause the picture',
    show: 'Show the picture again',
    since: (duration: string) => `for ${duration}`,
    retryIn: (seconds: number) => `Next attempt in ${seconds} s`,
    retryNow: 'Trying now',
    newBroadcast: 'New broadcast',
    offline: 'The relay does not answer.',
    offlineSharing: 'The capture window goes on and reconnects by itself.',
    offlineAsking: 'This page goes on asking; nothing needs to be reloaded.',
    preview: 'Live preview of the shared screen',
  },
  failures: {
    noPicture: 'The browser gave no picture.',
    system: 'The operating system does not let this browser see the screen.',
    insecure:
      'This page must be opened over HTTPS or on localhost: browsers let no other page share the screen, or steer what shares it.',
    capture: 'screen capture',
    frames: 'frame access (MediaStreamTrackProcessor)',
    encoder: 'video encoding (WebCodecs)',
    lacks: (what: string) =>
      `This browser lacks ${what}. Chrome and Edge have it on every desktop.`,
    noCodec: 'No codec of this browser can encode the picture.',
    noEncoder: 'this browser has no encoder for it.',
  },
};
