import type { sharing as english } from '../en/sharing.ts';

export const sharing: typeof english = {
  chooseFirst: 'Erst einen Ausschnitt wählen',
  standbyTitle: 'Noch sieht das niemand',
  standbyDetail:
    'Zieh den Ausschnitt auf, den du zeigen willst. Zuschauer bekommen ihn, sobald du auf Sendung gehst.',
  goLive: 'Auf Sendung gehen',
  discard: 'Nicht teilen',
  insideTitle: 'Diese Seite teilt selbst, weil der Browser kein Fenster dafür geöffnet hat',
  insideAlone: 'Diese Seite teilt selbst',
  insideDetail: 'Lass sie offen: Neu laden oder Schließen beendet die Aufnahme.',
  leaveInside:
    'Diese Seite teilt selbst. Wenn du die Steuerung verlässt, behalten Zuschauer das letzte Bild. Verlassen?',
  opening: 'Die Übertragung wird geöffnet …',
  notOpened: 'Diese Übertragung lässt sich von hier nicht teilen',
  tryAgain: 'Noch einmal versuchen',
  moveOut: 'In ein eigenes Fenster verlegen',
  moveBlocked:
    'Der Browser öffnet noch immer kein Fenster. Erlaube Pop-ups für diese Seite und drücke noch einmal.',
};
