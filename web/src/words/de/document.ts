import type { document as english } from '../en/document.ts';

export const document: typeof english = {
  joining: 'Verbinden…',
  joiningTab: 'Verbinden · Steadycast',
  sharingTab: 'Steadycast teilen',
  captureTab: 'Steadycast-Aufnahme',
  region: 'Übertragung',
  scriptsToWatch: 'Diese Seite braucht JavaScript, um die Übertragung zu zeigen.',
  scriptsToShare: 'Diese Seite braucht JavaScript, um den Bildschirm zu teilen.',
  claim:
    'Ein geteilter Bildschirm, der bleibt, was auch immer mit der Seite geschieht, die ihn teilt.',
  invited: 'Du bist zum Zuschauen eingeladen',
  paste: 'Füge hier deinen Link ein',
  watch: 'Zuschauen',
  toShare: 'Deinen eigenen Bildschirm teilen',
};
