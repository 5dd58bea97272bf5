/** The broadcast that an admin of an app has in this browser, which outlives the app's page. */

import { accessOf, ownedBy } from '../publish/storage.ts';
import { readToken } from '../session/token.ts';
import { ApiError, readBroadcast } from './api.ts';

export interface OwnOptions {
  /** The relay's origin, as in `https://relay.example:4443`. */
  origin: string;
  /** What the app calls the admin: in one browser each has one broadcast at a time. */
  adminId: string;
  /**
   * Has the app's server, which knows the admin key, give a publish token of the admin's broadcast, which it
   * makes where there is none. `broadcast`: the one that this browser has had before, and whose token is no
   * good any more; null: there is no such one.
   */
  publishToken: (adminId: string, broadcast: string | null) => Promise<string>;
}

/** How long the app's server may take. */
const ANSWER_MS = 15_000;
/** How long before its end a token is not worth going on with. */
const SPARE_MS = 60_000;

/**
 * A publish token for the admin's broadcast: of the one that this browser has had before while it is there,
 * or else of a new one. Pages that ask at the same time are given the same. Throws what `publishToken` throws.
 */
export async function ownToken(options: OwnOptions): Promise<string> {
  const { origin, adminId } = options;
  return navigator.locks.request(`steadycast owned ${origin} ${adminId}`, () => find(options));
}

async function find({ origin, adminId, publishToken }: OwnOptions): Promise<string> {
  const memory = ownedBy(origin, adminId);
  const known = await memory.load();
  const kept = known === null ? null : (await accessOf(known).load()).token;
  if (known !== null && kept !== null && (await isGood(origin, known, kept))) return kept;
  const made: unknown = await inTime(publishToken(adminId, known));
  const claims = typeof made === 'string' ? readToken(made) : null;
  if (typeof made !== 'string' || claims?.roles.includes('publish') !== true) {
    throw new TypeError('publishToken gave no publish token of one broadcast');
  }
  await accessOf(claims.broadcast).save({ token: made });
  await memory.save(claims.broadcast);
  return made;
}

function inTime<T>(answer: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = new Error(`publishToken has not answered for ${ANSWER_MS / 1_000} s`);
    setTimeout(() => reject(late), ANSWER_MS);
    answer.then(resolve, reject);
  });
}

/** A relay that does not answer has not taken it back. */
async function isGood(origin: string, broadcast: string, token: string): Promise<boolean> {
  const claims = readToken(token);
  if (claims === null || claims.expiresMs < Date.now() + SPARE_MS) return false;
  try {
    await readBroadcast(origin, broadcast, token);
    return true;
  } catch (error) {
    return error instanceof ApiError && error.kind === 'offline';
  }
}
