/** Who gets to the relay by the address in a link; pure. */

/** own-machine: the computer that the page is on alone; network: whoever is in the same network. */
export type Reach = 'own-machine' | 'network' | 'anywhere';

/** What the host of a link says of itself; a name says nothing, and counts as known everywhere. */
export function reachOf(link: string): Reach {
  const { hostname } = new URL(link);
  if (isOwnMachine(hostname)) return 'own-machine';
  return isPrivate(hostname) ? 'network' : 'anywhere';
}

/** The same page with the same fragment where `address`, another link of the relay, is. */
export function movedTo(address: string, link: string): string {
  const { hash, pathname } = new URL(link);
  const moved = new URL(pathname.slice(pathname.lastIndexOf('/') + 1), address);
  moved.hash = hash;
  return moved.href;
}

/** The links that a viewer may be sent, the best one first. */
export function choicesOf(playerLink: string, networkLinks: readonly string[]): string[] {
  return reachOf(playerLink) === 'own-machine' ? [...networkLinks, playerLink] : [playerLink];
}

function isOwnMachine(host: string): boolean {
  return (
    host === 'localhost' ||
    host.endsWith('.localhost') ||
    host === '[::1]' ||
    /^127(\.\d+){3}$/.test(host)
  );
}

/** RFC 1918, RFC 6598, RFC 3927, RFC 4193, RFC 4291, and names of multicast DNS. */
function isPrivate(host: string): boolean {
  if (host.endsWith('.local')) return true;
  if (/^\[f[cd][0-9a-f]{2}:/.test(host) || /^\[fe[89ab][0-9a-f]:/.test(host)) return true;
  const parts = /^(\d+)\.(\d+)\.\d+\.\d+$/.exec(host);
  if (parts === null) return false;
  const [first, second] = [Number(parts[1]), Number(parts[2])];
  return (
    first === 10 ||
    (first === 172 && second >= 16 && second < 32) ||
    (first === 192 && second === 168) ||
    (first === 169 && second === 254) ||
    (first === 100 && second >= 64 && second < 128)
  );
}
