import type { links as english } from '../en/links.ts';

export const links: typeof english = {
  viewers: 'Link für Zuschauer',
  waiting: 'Warte auf das Relay …',
  private: 'Verschlüsselt: Nur wer den Link hat, kann das sehen',
  compare: 'Wer denselben Code sieht, hat denselben Schlüssel:',
  keyOld:
    'Der Link für Zuschauer wurde anderswo ersetzt, und dieser Browser hat noch den Schlüssel von vorher: Wer den neuen Link hat, sieht nichts von dem, was von hier geteilt wird. Öffne einen neuen Admin-Link, kopiert von dort, wo er ersetzt wurde, oder ersetze den Link für Zuschauer hier.',
  keyMissing:
    'Diese Übertragung ist verschlüsselt, und dieser Browser hat ihren Schlüssel nicht. Öffne den ganzen Admin-Link, wie er im Panel kopiert wurde: Was ein Relay ausgibt, enthält den Schlüssel nicht.',
  copy: 'Kopieren',
  copied: 'Kopiert',
  viewersCopied: 'Der Zuschauer-Link ist in der Zwischenablage.',
  adminCopied: 'Kopiert. Wer ihn hat, kann in dieser Übertragung teilen und sie beenden.',
  refused:
    'Der Browser lässt diese Seite nicht kopieren. Der Link ist markiert: Kopiere ihn mit Strg+C (⌘C) oder durch langes Drücken.',
  byHand: 'Link zum Kopieren von Hand',
  share: 'Teilen …',
  shareTitle: 'Sieh dir meinen Bildschirm an',
  shareRefused: 'Der Browser konnte den Link nicht teilen. Kopiere ihn stattdessen.',
  qr: 'QR-Code',
  qrTitle: 'QR-Code des Links für Zuschauer',
  opensUntil: (when) => `Öffnet die Seite bis ${when}. Wer dann schon drin ist, bleibt.`,
  accessEnds: (when) => `Der Zugang endet ${when}, auch für alle, die dann drin sind.`,
  over: (when) => `Öffnet nichts mehr: Die Zeit war ${when} um.`,
  address: 'Adresse im Link',
  ownMachine: (host) => `${host} (nur dieser Rechner)`,
  reachesNobody:
    'Niemand sonst erreicht diesen Link: Das Relay ist nur für diesen Rechner da, oder der Rechner ist in keinem Netz. Das ändern die Einstellungen server.listen und server.public_url.',
  reachesOwnMachine: 'Unter dieser Adresse erreicht nur dieser Rechner das Relay.',
  reachesNetwork: 'Für Geräte im selben Netz.',
  warnsOnce:
    'Für Geräte im selben Netz. Das Zertifikat hat das Relay selbst gemacht, deshalb warnt ihr Browser einmal.',
  replace: 'Diesen Link ersetzen …',
  replaceAsk: 'Den Link ersetzen',
  replaceWhat:
    'Alle, die jetzt zusehen, werden getrennt und brauchen den neuen Link, um zurückzukommen. Der alte gilt nicht mehr.',
  replaceNow: 'Link ersetzen',
  keep: 'Behalten',
  replaced: 'Das ist der neue Link. Den alten hast du beendet: Niemand sieht mehr über ihn zu.',
  timed: 'Link mit Ende …',
  timedWhat:
    'Ein weiterer Link, bei dem der Zugang auch für alle endet, die drin sind. Der andere bleibt.',
  timedFor: 'Zugang für',
  timedMake: 'Link machen',
  timedLink: 'Link mit Ende',
  close: 'Schließen',
  copyAdmin: 'Admin-Link kopieren',
  copyAdminWhy:
    'In der Adresse dieser Seite steht er nicht, damit ihn niemand auf deinem Bildschirm sieht.',
  copyNewAdmin: 'Neuen Admin-Link kopieren',
  copyNewAdminWhy: 'Für ein anderes Gerät, oder bevor dieser abläuft. Dieser gilt weiter.',
  end: 'Übertragung beenden …',
  endAsk: 'Die Übertragung beenden',
  endWhat: 'Für alle und endgültig beenden? Kein Link gilt dann noch.',
  endNow: 'Übertragung beenden',
  endedBadge: 'Beendet',
  endedTitle: 'Du hast diese Übertragung beendet',
  endedDetail: 'Ihre Links sind mit ihr beendet und öffnen nichts mehr.',
};
