/** The key of a private broadcast, which stands in its links and reaches no relay (PROTOCOL 12.1). */

/** 32 random bytes as base64url, as they stand in a link. */
export type LinkKey = string & { readonly linkKey: unique symbol };

const BYTES = 32;
/** 43 characters hold 258 bits: of the last one two are 0. */
const FORM = /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/;

/** Twelve digits, and so much work for each guess, that nobody finds a key of the same code. */
const CODE_SALT = 'steadycast comparison code 1';
const CODE_ITERATIONS = 100_000;
const CODE_GROUPS = 3;
const CODE_GROUP = 10_000;

export function newLinkKey(): LinkKey {
  return textOf(crypto.getRandomValues(new Uint8Array(BYTES)));
}

/** Null: it is no key. */
export function readLinkKey(text: string): LinkKey | null {
  return FORM.test(text) ? (text as LinkKey) : null;
}

export function linkKeyBytes(key: LinkKey): Uint8Array<ArrayBuffer> {
  const text = atob(key.replaceAll('-', '+').replaceAll('_', '/'));
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** Where two people read the same code, they have the same key; of the key it says nothing. */
export async function comparisonCode(key: LinkKey): Promise<string> {
  const { subtle } = crypto;
  const base = await subtle.importKey('raw', linkKeyBytes(key), 'PBKDF2', false, ['deriveBits']);
  const salt = new TextEncoder().encode(CODE_SALT);
  const work = { name: 'PBKDF2', hash: 'SHA-256', salt, iterations: CODE_ITERATIONS };
  const view = new DataView(await subtle.deriveBits(work, base, CODE_GROUPS * 32));
  const groups = Array.from({ length: CODE_GROUPS }, (_, at) => view.getUint32(at * 4));
  return groups.map((number) => String(number % CODE_GROUP).padStart(4, '0')).join(' ');
}

function textOf(bytes: Uint8Array): LinkKey {
  const text = btoa(String.fromCharCode(...bytes));
  return text.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '') as LinkKey;
}
