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

/** How long a window may take that was just opened: machines are slow. */
const COMING_MS = 15_000;
const LOOK_MS = 50;

/** Resolves once another window waits for the lock of this name; false: none has come. */
export async function isAwaited(
  name: string,
  locks: Pick<LockManager, 'query'> = navigator.locks,
): Promise<boolean> {
  const endMs = performance.now() + COMING_MS;
  while (performance.now() < endMs) {
    const { pending = [] } = await locks.query();
    if (pending.some((lock) => lock.name === name)) return true;
    await pause(LOOK_MS);
  }
  return false;
}

/** Takes the lock of this name once nobody else wants it; returns what gives up waiting, or the lock. */
export function becomeNext(
  name: string,
  locks: Pick<LockManager, 'request'> = navigator.locks,
): () => void {
  const giveUp = new AbortController();
  let release: () => void = () => undefined;
  const hold = () =>
    new Promise<void>((resolve) => {
      release = resolve;
    });
  locks.request(name, { signal: giveUp.signal }, hold).catch(() => undefined);
  return () => {
    giveUp.abort();
    release();
  };
}
