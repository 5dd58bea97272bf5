import type { crop as english } from '../en/crop.ts';

export const crop: typeof english = {
  legend: 'Ausschnitt',
  shape: 'Form',
  shapes: { free: 'Frei', wide: '16:9', classic: '4:3', square: '1:1', original: 'Original' },
  fields: { x: 'Links', y: 'Oben', width: 'Breite', height: 'Höhe' },
  reset: 'Ausschnitt zurücksetzen',
  help: 'Pfeiltasten verschieben den Ausschnitt, mit Umschalt ändern sie seine Größe, mit Strg in kleinen Schritten. Strg und Z machen eine Änderung rückgängig. Escape bricht das Ziehen ab.',
  described: ({ x, y, width, height }) =>
    `Ausschnitt: ${width} mal ${height} Pixel, ${x} von links, ${y} von oben`,
  undone: (deed, now) => `Rückgängig: ${deed}. ${now}`,
  redone: (deed, now) => `Wiederholt: ${deed}. ${now}`,
  wholeAgain: 'Das ganze Bild wird wieder geteilt.',
  again: ({ x, y, width, height }) =>
    `Der Ausschnitt ist wieder ${width} × ${height}, ${x} von links und ${y} von oben.`,
  deeds: {
    draw: 'neuen Ausschnitt aufziehen',
    move: 'Ausschnitt verschieben',
    resize: 'Größe des Ausschnitts ändern',
    reset: 'Ausschnitt zurücksetzen',
    type: (field) => `Zahl „${field}“ eingeben`,
    shape: (name) => `Form „${name}“ wählen`,
  },
};
