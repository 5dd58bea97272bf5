/**
 * The admin key, for as long as the tab is open. A reload finds it in the tab's storage while the desk
 * is shown and no longer: a window that a panel opens begins with a copy of that storage.
 */

const NAME = 'steadycast-admin-key';

let known: string | null = null;

export function knownKey(): string | null {
  known ??= attempt(() => sessionStorage.getItem(NAME));
  return known;
}

export function learnKey(key: string): void {
  known = key;
}

/** The desk is shown; returns how to say that it is not any more. */
export function keepKeyForReload(): () => void {
  const key = known;
  if (key !== null) attempt(() => sessionStorage.setItem(NAME, key));
  return () => attempt(() => sessionStorage.removeItem(NAME));
}

export function forgetKey(): void {
  known = null;
  attempt(() => sessionStorage.removeItem(NAME));
}

/** Browsers may forbid a page to keep anything, which costs only the comfort after a reload. */
function attempt<T>(act: () => T): T | null {
  try {
    return act();
  } catch {
    return null;
  }
}
