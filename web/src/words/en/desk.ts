import { listed } from '../numbers.ts';

export const desk = {
  pageTitle: 'Broadcasts · Steadycast',
  panelTitle: 'Steadycast sharing',
  title: 'Broadcasts',
  lead: 'Create a broadcast, send its link to your viewers, and share your screen with one click. It goes on when this page is reloaded or closed.',
  enter: 'Open the admin’s desk',
  key: 'Admin key',
  keyWhere:
    'It is in the relay’s state directory, in the file admin.key, unless its settings name another.',
  keyKept:
    'It stays in this tab until you lock the desk or close the tab. A panel does not hold it.',
  showKey: 'Show the key',
  open: 'Open desk',
  opening: 'Opening…',
  wrongKey: 'The relay does not know this key.',
  keyChanged: 'The relay does not take this key any more. Enter the one of now.',
  offline: 'The relay does not answer. Is it running?',
  stale: (when: string) => `The relay does not answer. The list is from ${when}.`,
  incomplete: (relays: readonly string[]) =>
    relays.length === 1
      ? `The relay ${listed(relays)} does not answer. Its broadcasts stand as they were, or are missing.`
      : `The relays ${listed(relays)} do not answer. Their broadcasts stand as they were, or are missing.`,
  lock: 'Lock the desk',
  newTitle: 'Title of a new broadcast, if you like',
  newExample: 'Thursday game night',
  private: 'Only people with the link can see it',
  privateWhat:
    'What you share is encrypted in your browser for those who have the link, and the server cannot see it. Other programs (OBS, players over WHEP) cannot take part then, nor can browsers that play over WebRTC alone, as all on iPhone and iPad do.',
  create: 'Create broadcast',
  creating: 'Creating…',
  created: (title: string) => `“${title}” is there. Open it to share your screen.`,
  none: 'There is no broadcast yet.',
  loading: 'Asking the relay…',
  more: 'Show more',
  untitled: 'Untitled',
  phases: { waiting: 'Not live yet', live: 'Live', held: 'Sharer away', paused: 'Paused' },
  overBadge: 'Over',
  endedByYou: 'Ended by you. Its links open nothing any more.',
  endedElsewhere:
    'Ended elsewhere, or nobody shared for too long. Its links open nothing any more.',
  viewers: (count: number) =>
    count === 0 ? 'No viewers' : count === 1 ? '1 viewer' : `${count} viewers`,
  made: 'Made',
  lastLive: 'Last live',
  wentLive: 'Went live',
  never: 'never yet',
  justNow: 'just now',
  openPanel: 'Open',
  openPanelOf: (title: string) => `Open “${title}”`,
  copyViewers: 'Copy viewers’ link',
  all: 'All broadcasts',
  linkUntil: (when: string) => `Admin link opens until ${when}`,
  linkOver: 'This link has expired',
  lostTitle: 'Open your admin link once more',
  lostWhat: (broadcast: string) =>
    `This browser does not know the link to the broadcast ${broadcast}. The address of a panel does not hold it, so that nobody sees it when you share your whole screen.`,
  lostHow:
    'Open the link that was made with the broadcast. “Copy admin link” in a panel that is still open copies it, and so does the list of all broadcasts, for which you need the admin key. On the relay’s machine this prints a new one:',
  viewersLink: 'This is a viewer’s link.',
  viewersLinkHow: 'The desk below needs the admin key.',
  watch: 'Watch the broadcast',
  badLink: 'This link is not complete.',
  badLinkHow: 'Copy it again as a whole, or open the desk with the admin key.',
};
