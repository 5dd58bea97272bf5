/** One window of a browser does what must not be done twice; the others find out that it does. */

import { pause } from '../session/pause.ts';

/** A window that is going keeps its lock until it is gone. */
const WAIT_MS = 1_000;

/**
 * Takes the lock of this name for this window, and resolves with what gives it back; null: another
 * window keeps it. A busy browser may take long to give a lock that nobody has: that is waited for.
 */
export async function becomeSole(
  name: string,
  locks: Pick<LockManager, 'request' | 'query'> = navigator.locks,
): Promise<(() => void) | null> {
  const giveUp = new AbortController();
  let mine = false;
  const taken = new Promise<() => void>((resolve, reject) => {
    const hold = () =>
      new Promise<void>((release) => {
        mine = true;
        resolve(release);
      });
    locks.request(name, { signal: giveUp.signal }, hold).catch(reject);
  });
  const kept = async () => {
    do await pause(WAIT_MS);
    while (!mine && !(await isHeld(name, locks)));
    // Where it was given meanwhile, this comes too late and does nothing.
    giveUp.abort();
  };
  void kept();
  return taken.catch((error: unknown) => {
    if (giveUp.signal.aborted) return null;
    throw error;
  });
}

/** Whether a window of this browser, this one or another, has the lock of this name. */
export async function isHeld(
  name: string,
  locks: Pick<LockManager, 'query'> = navigator.locks,
): Promise<boolean> {
  const { held = [] } = await locks.query();
  return held.some((lock) => lock.name === name);
}
