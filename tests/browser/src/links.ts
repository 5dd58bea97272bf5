/** Links to the pages (PROTOCOL 6.2), and what is left of them in an address. */

export type LinkedPage = 'admin' | 'host' | 'play';

export function linkTo(origin: string, page: LinkedPage, token: string): string {
  return `${origin}/${page}#token=${token}`;
}

/** As relays up to 0.1 made them. */
export function bareLinkTo(origin: string, page: LinkedPage, token: string): string {
  return `${origin}/${page}#${token}`;
}

/** The token in a link. */
export function tokenIn(link: string | URL): string {
  const fragment = new URL(link).hash.slice(1);
  const token = fragment.includes('=') ? new URLSearchParams(fragment).get('token') : fragment;
  if (token === null || token === '') throw new Error(`no token in ${link}`);
  return token;
}
