/**
 * The styles of what the package shows, as far as their modules are here. They are adopted, not bundled: apps'
 * bundlers rewrite `light-dark()` for older browsers, into what needs a rule for the whole page.
 */

/** By the document that they are for: a window of its own has sheets of its own. */
const made = new WeakMap<Document, CSSStyleSheet[]>();
const texts: string[] = [];

/** Called by the modules that stylesheets become. */
export function addSheet(text: string): void {
  texts.push(text);
}

/** Styles a document or a shadow root, which no content security policy forbids. */
export function adoptSheets(root: DocumentOrShadowRoot & Node): void {
  const document = root.ownerDocument ?? (root as Document);
  const sheets = sheetsOf(document);
  const adopted = new Set(root.adoptedStyleSheets);
  const missing = sheets.filter((sheet) => !adopted.has(sheet));
  if (missing.length > 0) root.adoptedStyleSheets = [...root.adoptedStyleSheets, ...missing];
}

function sheetsOf(document: Document): CSSStyleSheet[] {
  const sheets = made.get(document) ?? [];
  made.set(document, sheets);
  // More may have come since, with parts that are fetched when they are needed.
  for (const text of texts.slice(sheets.length)) {
    const Sheet = document.defaultView?.CSSStyleSheet ?? CSSStyleSheet;
    const sheet = new Sheet();
    sheet.replaceSync(text);
    sheets.push(sheet);
  }
  return sheets;
}
