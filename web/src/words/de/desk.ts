import type { desk as english } from '../en/desk.ts';
import { listed } from '../numbers.ts';

export const desk: typeof english = {
  pageTitle: 'Übertragungen · Steadycast',
  panelTitle: 'Steadycast teilen',
  title: 'Übertragungen',
  lead: 'Lege eine Übertragung an, schick deinen Zuschauern den Link und teile deinen Bildschirm mit einem Klick. Sie geht weiter, wenn diese Seite neu geladen oder geschlossen wird.',
  enter: 'Die Übersicht öffnen',
  key: 'Admin-Schlüssel',
  keyWhere:
    'Er steht im Zustandsverzeichnis des Relays in der Datei admin.key, wenn die Einstellungen keinen anderen nennen.',
  keyKept:
    'Er bleibt in diesem Tab, bis du die Übersicht sperrst oder den Tab schließt. Eine Steuerung hat ihn nicht.',
  showKey: 'Schlüssel zeigen',
  open: 'Übersicht öffnen',
  opening: 'Wird geöffnet …',
  wrongKey: 'Diesen Schlüssel kennt das Relay nicht.',
  keyChanged: 'Das Relay nimmt diesen Schlüssel nicht mehr. Gib den jetzigen ein.',
  offline: 'Das Relay antwortet nicht. Läuft es?',
  stale: (when) => `Das Relay antwortet nicht. Die Liste ist von ${when}.`,
  incomplete: (relays) =>
    relays.length === 1
      ? `Das Relay ${listed(relays)} antwortet nicht. Seine Übertragungen stehen hier wie zuletzt, oder sie fehlen.`
      : `Die Relays ${listed(relays)} antworten nicht. Ihre Übertragungen stehen hier wie zuletzt, oder sie fehlen.`,
  lock: 'Übersicht sperren',
  newTitle: 'Titel einer neuen Übertragung, wenn du magst',
  newExample: 'Spieleabend am Donnerstag',
  private: 'Nur wer den Link hat, kann es sehen',
  privateWhat:
    'Was du teilst, wird in deinem Browser für alle mit dem Link verschlüsselt, und der Server kann es nicht sehen. Andere Programme (OBS, Player über WHEP) können dann nicht mitmachen, ebenso wenig Browser, die nur über WebRTC spielen, wie alle auf iPhone und iPad.',
  create: 'Übertragung anlegen',
  creating: 'Wird angelegt …',
  created: (title) => `„${title}“ ist da. Öffne sie, um deinen Bildschirm zu teilen.`,
  none: 'Es gibt noch keine Übertragung.',
  loading: 'Das Relay wird gefragt …',
  more: 'Mehr zeigen',
  untitled: 'Ohne Titel',
  phases: { waiting: 'Noch nicht live', live: 'Live', held: 'Niemand teilt', paused: 'Pause' },
  overBadge: 'Vorbei',
  endedByYou: 'Von dir beendet. Die Links öffnen nichts mehr.',
  endedElsewhere:
    'Anderswo beendet, oder es hat zu lange niemand geteilt. Die Links öffnen nichts mehr.',
  viewers: (count) =>
    count === 0 ? 'Keine Zuschauer' : count === 1 ? '1 Zuschauer' : `${count} Zuschauer`,
  made: 'Angelegt',
  lastLive: 'Zuletzt live',
  wentLive: 'Live gegangen',
  never: 'noch nie',
  justNow: 'gerade eben',
  openPanel: 'Öffnen',
  openPanelOf: (title) => `„${title}“ öffnen`,
  copyViewers: 'Zuschauer-Link kopieren',
  all: 'Alle Übertragungen',
  linkUntil: (when) => `Admin-Link öffnet bis ${when}`,
  linkOver: 'Dieser Link ist abgelaufen',
  lostTitle: 'Öffne deinen Admin-Link noch einmal',
  lostWhat: (broadcast) =>
    `Dieser Browser kennt den Link zur Übertragung ${broadcast} nicht. In der Adresse einer Steuerung steht er nicht, damit ihn niemand sieht, wenn du den ganzen Bildschirm teilst.`,
  lostHow:
    'Öffne den Link, der mit der Übertragung gemacht wurde. „Admin-Link kopieren“ in einer noch offenen Steuerung kopiert ihn, und auch die Liste aller Übertragungen, für die du den Admin-Schlüssel brauchst. Auf dem Rechner des Relays gibt dies einen neuen aus:',
  viewersLink: 'Das ist ein Zuschauer-Link.',
  viewersLinkHow: 'Die Übersicht darunter braucht den Admin-Schlüssel.',
  watch: 'Übertragung ansehen',
  badLink: 'Dieser Link ist nicht vollständig.',
  badLinkHow: 'Kopiere ihn noch einmal ganz, oder öffne die Übersicht mit dem Admin-Schlüssel.',
};
