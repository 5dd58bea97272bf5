/** A JWT: three parts of base64url (PROTOCOL 6.1). */
const TOKEN = /^[\w-]+\.[\w-]+\.[\w-]+$/;

/** Where a pasted link, or a bare token, leads; null when it is neither. */
export function playerPath(pasted: string): string | null {
  const text = pasted.trim();
  const token = text.includes('#') ? text.slice(text.indexOf('#') + 1) : text;
  return TOKEN.test(token) ? `play#${token}` : null;
}
