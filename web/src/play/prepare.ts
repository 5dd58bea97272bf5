/** What a page begins before anything else of it is there: the way to the relay. */

import { Memory } from './memory.ts';
import { prepareWorker } from './spare-worker.ts';
import { possibleTransports } from './support.ts';
import { prepareSession } from './whep/early.ts';

/** Begins the session that the player will try first. */
export function prepare(origin: string, token: string, isPrivate = false): void {
  const [first] = new Memory(origin).order(possibleTransports(isPrivate), Date.now());
  if (first === 'webtransport' || first === 'websocket') prepareWorker(origin, first);
  if (first === 'whep' && !isPrivate) void prepareSession(origin, token).catch(() => undefined);
}
