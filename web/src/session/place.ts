/** Where a relay is. Behind a proxy it may have a path of its own, as in `https://host.example/cast`. */

/** The URL of `path` at a relay. */
export function at(relay: string, path: string): URL {
  return new URL(path, relay.endsWith('/') ? relay : `${relay}/`);
}

/** Whether that is the address of a relay at all. */
export function isRelay(relay: string): boolean {
  return URL.canParse(relay) && /^https?:$/.test(new URL(relay).protocol);
}

/** The relay that a page has come from: all pages lie side by side. */
export function relayOf(page: string): string {
  const { origin, pathname } = new URL('.', page);
  return `${origin}${pathname.replace(/\/$/, '')}`;
}
