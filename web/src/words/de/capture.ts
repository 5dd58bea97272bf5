import type { capture as english } from '../en/capture.ts';

export const capture: typeof english = {
  tab: 'Steadycast-Aufnahme',
  opening: 'Wird geöffnet…',
  keepOpen:
    'Lass dieses Fenster offen; minimiere es, wenn du magst. Ausschnitt, Qualität und alles andere sind auf der Teilen-Seite.',
  idleHint: 'Die Teilen-Seite zeigt, was dieses Fenster tut.',
  shareYours: 'Deinen Bildschirm teilen',
  ready: 'Bereit zum Teilen',
  sharing: 'Dein Bildschirm wird geteilt',
  askingStandby:
    'Der Browser fragt, was du teilen willst. Niemand sieht, was du wählst, bis du auf Sendung gehst.',
  asking: 'Der Browser fragt, was du teilen willst. Das Teilen beginnt, sobald du gewählt hast.',
  oneClick: 'Der Browser will einen Klick, bevor dieses Fenster den Bildschirm sehen darf.',
  sources: {
    monitor: 'Ein ganzer Bildschirm',
    window: 'Ein Fenster',
    browser: 'Ein Browser-Tab',
    other: 'Ein Bildschirm',
  },
  uncropped: (source) => `${source}, ohne Zuschnitt.`,
  cropped: (source, size) => `${source}, zugeschnitten auf ${size}.`,
  figures: {
    viewers: 'Zuschauer',
    picture: 'Bild',
    atRest: 'in Ruhe',
    frames: 'Bilder',
    rate: 'Rate',
    nextTry: 'Nächster Versuch',
    codec: 'Codec',
  },
  another: 'Anderen Bildschirm teilen',
  close: 'Dieses Fenster schließen',
  resume: 'Weitermachen',
  secondTitle: 'Ein anderes Fenster teilt schon',
  secondDetail:
    'Diese Übertragung hat ihr Aufnahmefenster in diesem Browser. Dieses hier wird nicht gebraucht und schließt sich von selbst.',
  closeNow: 'Jetzt schließen',
  crashedTitle: 'Die Aufnahme ist abgestürzt',
  crashedDetail: 'Starte sie neu; Ausschnitt und Qualität bleiben erhalten.',
  startAgain: 'Neu starten',
  unable: 'Dieser Browser kann den Bildschirm nicht teilen',
  wrongLink: 'Mit diesem Link kann man nicht teilen',
  wrongLinkDetail: 'Öffne die Teilen-Seite mit dem Admin-Link und starte von dort.',
};
