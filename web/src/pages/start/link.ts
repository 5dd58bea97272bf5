import { parseFragment } from '../../session/fragment.ts';

/** A JWT: three parts of base64url (PROTOCOL 6.1). */
const TOKEN = /^[\w-]+\.[\w-]+\.[\w-]+$/;

/** Where a pasted link, its fragment, or a bare token, leads; null when it is none of them. */
export function playerPath(pasted: string): string | null {
  const { token } = parseFragment(fragmentOf(pasted));
  if (token === null || !TOKEN.test(token)) return null;
  // Whatever else the link says stays in it.
  const fragment = fragmentOf(pasted);
  return `play#${fragment.includes('=') ? new URLSearchParams(fragment) : `token=${token}`}`;
}

/** Whether it is what a player's address shows, which opens nothing elsewhere. */
export function isAddress(pasted: string): boolean {
  const { token, broadcast } = parseFragment(fragmentOf(pasted));
  return token === null && broadcast !== null;
}

function fragmentOf(pasted: string): string {
  const text = pasted.trim();
  return text.includes('#') ? text.slice(text.indexOf('#') + 1) : text;
}
