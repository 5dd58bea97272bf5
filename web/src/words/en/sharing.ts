export const sharing = {
  chooseFirst: 'Choose a part first',
  standbyTitle: 'Nobody sees this yet',
  standbyDetail: 'Draw the part that you want to show. Viewers get it when you go live.',
  goLive: 'Go live',
  discard: 'Do not share',
  insideTitle: 'This page itself is sharing, because the browser opened no window for it',
  insideAlone: 'This page itself is sharing',
  insideDetail: 'Keep it open: reloading or closing it ends the capture.',
  leaveInside:
    'This page itself is sharing. If you leave the panel, viewers keep the last picture. Leave it?',
  opening: 'Opening the broadcast…',
  notOpened: 'This broadcast cannot be shared from here',
  tryAgain: 'Try again',
  moveOut: 'Move to a window of its own',
  moveBlocked:
    'The browser opens no window still. Allow pop-ups for this site, and press once more.',
};
