const titled = (title: string, detail: string) => ({ title, detail });
const ended = (badge: string, title: string, detail: string) => ({ badge, title, detail });

/** The player: the states of a broadcast, the buttons, the figures behind the picture. */
export const player = {
  region: 'Broadcast',
  picture: (title: string | null) => (title === null ? 'Shared screen' : `Shared screen: ${title}`),

  ready: 'Ready',
  tap: 'Tap to play',
  joining: { badge: 'Joining', title: 'Joining…' },
  joiningLong: 'The server does not answer yet. This page keeps trying.',
  live: 'Live',
  rest: 'Live, screen at rest',
  away: ended(
    'Host away',
    'The host is away',
    'You see their last picture. It goes on by itself when they are back.',
  ),
  paused: ended(
    'Paused',
    'The host has paused the picture',
    'It goes on by itself when they are ready.',
  ),
  locked: {
    keyless: ended(
      'Encrypted',
      'This link lacks the key',
      'The broadcast is encrypted. Ask the host for the whole link, or open it once more.',
    ),
    foreign: ended(
      'Encrypted',
      'This link’s key does not fit',
      'What the host shares is encrypted with another key than this link has. Ask the host for a new link.',
    ),
  },
  meddled: titled(
    'Something on the way has changed the picture',
    'What was changed is not shown. The picture goes on with what the host has sent. Tell the host.',
  ),
  private: 'Encrypted: only people with the link can see this',
  compare: 'The host sees this code too:',
  captured: (time: string) => `Newest picture made at ${time}, by the host’s clock`,
  preparing: ended(
    'Preparing',
    'Preparing a version that this browser can show',
    'It cannot show what the host sends. Another version is on its way.',
  ),
  undecodable: {
    badge: 'No picture here',
    title: 'This browser cannot show the picture',
    /** `codec`: as people know it; null: not known. */
    detail: (codec: string | null) =>
      `The host shares${codec === null ? '' : ` as ${codec}`}, and cannot make a version for this browser. A current Chrome, Edge or Firefox can show it; if the host chooses another format, this page goes on by itself.`,
  },
  waiting: ended(
    'Waiting',
    'Waiting for the host to start',
    'You are connected. The picture appears here as soon as sharing begins.',
  ),
  reconnecting: ended(
    'Reconnecting',
    'Connection lost, reconnecting',
    'The last picture stays until the connection is back.',
  ),
  reconnectingCovered: 'The host had paused the picture.',
  slow: {
    badge: 'Slow network',
    title: 'Slow network',
    /** `rate`: such as 390 kbit/s; null: not known. */
    detail: (rate: string | null) =>
      `Your connection carries${rate === null ? '' : ` about ${rate},`} less than the picture needs: fewer pictures a second.`,
  },
  undecoded: {
    title: 'This browser cannot decode the picture',
    detail: (codec: string) =>
      `The host shares as ${codec}. They can choose another format; this page goes on by itself then. A current Chrome or Edge on a computer can play it now.`,
  },
  since: (time: string, elapsed: string) => `since ${time} · ${elapsed}`,

  ended: { badge: 'Ended', title: 'The broadcast has ended' },
  endedByHost: 'Thank you for watching. You can close this page.',
  endedByAbsence:
    'The host did not come back in time. Ask them for a new link when they share again.',
  withoutToken: ended(
    'No link',
    'Open your link once more',
    'The address of this page opens a broadcast only in the browser that has been there. Use the link that you were sent, or ask the host for a new one.',
  ),
  refused: {
    token_expired: ended('Expired', 'This link has expired', 'Ask the host for a new one.'),
    revoked: ended(
      'Link ended',
      'This link is not valid any more',
      'The host has made new links. Ask them for the new one.',
    ),
    kicked: ended(
      'Removed',
      'You were removed from this broadcast',
      'The host has ended your session.',
    ),
    unauthorized: ended(
      'No access',
      'This link does not open a broadcast',
      'It may have been cut short on its way. Copy the whole link, or ask the host for a new one.',
    ),
    unknown_broadcast: ended(
      'Not found',
      'This broadcast is over',
      'The server does not know it any more. Ask the host for a new link.',
    ),
    unsupported_version: ended(
      'Outdated',
      'This page is older than the server',
      'Reload the page to get the current version.',
    ),
    otherwise: ended(
      'Not connected',
      'The broadcast could not be joined',
      'Reload the page to try again. If that does not help, tell the host.',
    ),
  },
  unsupportedBadge: 'Not possible here',
  unsupported: {
    webkit: titled(
      'Please open this link in another browser',
      'Safari, and every browser on iPhone and iPad, cannot play what this server offers. Chrome, Edge or Firefox on a computer or on Android can.',
    ),
    webtransport: titled(
      'This browser is too old for this broadcast',
      'A current Chrome, Edge or Firefox can play it, unless WebRTC is switched off there.',
    ),
    decoder: titled(
      'This browser cannot decode the picture',
      'A current Chrome, Edge or Firefox can play this broadcast.',
    ),
    canvas: titled(
      'This browser cannot show the picture',
      'A current Chrome, Edge or Firefox can play this broadcast.',
    ),
    udp: titled(
      'This network carries no picture to this browser',
      'It lets no UDP through, and over TCP this browser cannot play. A current Chrome, Edge or Firefox can, and so may another network. This page keeps trying.',
    ),
    blocked: titled(
      'The picture does not get through from here',
      'The server answers, but neither WebTransport nor WebRTC nor WebSocket gets through to it. Try another network, or ask who runs this one or the server. This page keeps trying.',
    ),
    sealed: titled(
      'This browser cannot open this encrypted broadcast',
      'Only people with the link can see it, so the browser has to decrypt it by itself. A current Chrome, Edge, Firefox or Safari can.',
    ),
    insecure: titled(
      'This page was opened without encryption',
      'Use the link exactly as the host gave it to you; it begins with https.',
    ),
  },
  adminLink: {
    badge: 'Link for sharing',
    title: 'This is the link for sharing',
    detail:
      'Whoever has it can share their screen here, so keep it to yourself. To watch, open the link for viewers, which the panel has.',
    action: 'Open the panel',
  },

  motion: 'Motion',
  /** `name`: of the way that is chosen. */
  motionNow: (name: string) => `Motion: ${name}`,
  ways: {
    automatic: {
      name: 'Automatic',
      detail: 'As live as it gets; evens the motion out when the network needs it.',
    },
    live: {
      name: 'Closest to live',
      detail: 'Every picture as soon as it is here, even if the motion jerks.',
    },
    smooth: {
      name: 'Smooth',
      detail: 'Even motion, up to about half a second later on a bad network.',
    },
  },
  sound: {
    name: 'Sound',
    mute: 'Mute',
    unmute: 'Hear the sound',
    volume: 'Volume',
    tap: 'Tap for sound',
  },
  buttons: {
    details: 'Details',
    save: 'Save the picture',
    fill: 'Fill the window',
    pictureInPicture: 'Picture in picture',
    fullscreen: 'Full screen',
    whole: 'Show the whole picture',
    aside: 'Put this note aside',
    bring: 'Show the note again',
  },
  latency: 'From the host’s screen to yours',

  shortcuts: {
    button: 'Keyboard shortcuts',
    title: 'Keyboard shortcuts',
    single: 'Single keys work everywhere on this page',
    singleDetail: 'When this is off they work only while the picture has the focus.',
    close: 'Close',
    keys: {
      closer: 'Closer',
      farther: 'Farther away',
      walk: 'Move the picture',
      shortcuts: 'This list',
    },
    arrows: 'Arrow keys',
  },

  figures: {
    picture: 'Picture',
    connection: 'Connection',
    latency: 'Latency p50 / p95',
    roundTrip: 'Round trip',
    held: 'Held back for even motion',
    first: 'First picture after',
    gap: 'Largest gap',
    frames: 'Received / decoded / shown',
    sound: 'Sound: latency / filled in',
    black: 'Black frames',
    lost: 'Dropped frames / lost packets',
    skips: 'Skips / late frames',
    decoder: 'Decoder errors',
    sessions: 'Sessions opened / closed',
  },
};
