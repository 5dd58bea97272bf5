/** The styles of what the elements show, as far as their modules are here. */

const sheets: (() => CSSStyleSheet)[] = [];

/** Called by the modules that stylesheets become. */
export function addSheet(text: string): void {
  let made: CSSStyleSheet | null = null;
  sheets.push(() => {
    made ??= sheetOf(text);
    return made;
  });
}

/** Styles a shadow root, which no content security policy forbids. */
export function adoptSheets(root: ShadowRoot): void {
  if (root.adoptedStyleSheets.length === sheets.length) return;
  root.adoptedStyleSheets = sheets.map((sheet) => sheet());
}

function sheetOf(text: string): CSSStyleSheet {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(text);
  return sheet;
}
