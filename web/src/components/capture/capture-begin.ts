/** How the document of a capture window comes to its host, of which it has one, whatever becomes of its components. */

import { CaptureHost } from '../../publish/host.ts';
import { accessOf } from '../../publish/storage.ts';
import { wishOf } from '../../publish/wish.ts';
import type { Opened, PageAddress } from '../../session/address.ts';
import { readToken } from '../../session/token.ts';

let running: { host: CaptureHost; origin: string; token: string } | null = null;

/** What this window was opened with, or else what this browser keeps of the broadcast. */
export async function findToken(address: PageAddress): Promise<Pick<Opened, 'token' | 'key'>> {
  const { token, broadcast, key } = address.opened();
  if (token !== '' || broadcast === null) return { token, key };
  const kept = await accessOf(broadcast).load();
  return { token: kept.token ?? '', key: key ?? kept.key };
}

/** The document's host, which begins with what the window was opened for; null: this token shares nothing. */
export function hostOf(
  origin: string,
  { token, key }: Pick<Opened, 'token' | 'key'>,
): CaptureHost | null {
  if (running?.origin === origin && running.token === token) return running.host;
  const claims = readToken(token);
  if (claims?.roles.includes('publish') !== true) return null;
  running?.host.close();
  const host = new CaptureHost({
    origin,
    token,
    broadcast: claims.broadcast,
    key,
    inside: false,
  });
  running = { host, origin, token };
  void begin(host);
  return host;
}

async function begin(host: CaptureHost): Promise<void> {
  if (!(await host.open())) return;
  const wish = isReload() ? await host.before() : wishOf(location.search);
  if (wish === null) host.idle();
  else await host.share(wish);
}

/** Whether this document replaces one that may have been sharing. */
function isReload(): boolean {
  const [entry] = performance.getEntriesByType('navigation') as PerformanceNavigationTiming[];
  return entry?.type === 'reload' || entry?.type === 'back_forward';
}
