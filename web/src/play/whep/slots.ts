/**
 * Which of a browser's tabs hold a stream of events open. Over HTTP/1.1 a browser opens six
 * connections to a host, for all of its tabs together: with a stream in each of six tabs the seventh
 * could not even load.
 */

const STREAMS_MAX = 4;

/** The right to hold a connection open. */
export interface Slot {
  /** Aborts when it has to be given back at once. */
  readonly lost: AbortSignal;
  release(): void;
}

/** What is asked of the browser, so that tests can stand in for it. */
export interface Surroundings {
  /** How the relay is spoken to, as ALPN names it; null: not known. */
  protocol(origin: string): string | null;
  /** Absent on pages without a secure context. */
  locks: Pick<LockManager, 'request'> | undefined;
  page: Pick<Document, 'hidden' | 'addEventListener'> | undefined;
}

const browser: Surroundings = {
  protocol: (origin) => {
    const entries = [
      ...performance.getEntriesByType('navigation'),
      ...performance.getEntriesByType('resource'),
    ] as PerformanceResourceTiming[];
    const own = entries.filter(({ name }) => name.startsWith(`${origin}/`));
    return own.find(({ nextHopProtocol }) => nextHopProtocol)?.nextHopProtocol ?? null;
  },
  locks: globalThis.navigator?.locks,
  page: globalThis.document,
};

/** A slot for a stream from this relay; null where other tabs have them all. Never rejects. */
export async function takeSlot(
  origin: string,
  { protocol, locks, page }: Surroundings = browser,
): Promise<Slot | null> {
  // Newer versions carry any number of streams on one connection.
  if (!protocol(origin)?.startsWith('http/1')) return free();
  if (locks === undefined) return whileSeen(page);
  for (let number = 1; number <= STREAMS_MAX; number += 1) {
    const slot = await tryLock(locks, `steadycast events ${origin} ${number}`).catch(() => null);
    if (slot !== null) return slot;
  }
  return null;
}

function free(): Slot {
  return { lost: new AbortController().signal, release: () => undefined };
}

function tryLock(locks: Pick<LockManager, 'request'>, name: string): Promise<Slot | null> {
  return new Promise((resolve, reject) => {
    const held = (lock: Lock | null) => {
      if (lock === null) return resolve(null);
      return new Promise<void>((release) => resolve({ ...free(), release }));
    };
    locks.request(name, { ifAvailable: true }, held).catch(reject);
  });
}

/** Tabs that cannot agree: of the tabs in a window, one is seen. */
function whileSeen(page: Surroundings['page']): Slot | null {
  if (page === undefined) return free();
  if (page.hidden) return null;
  const away = new AbortController();
  const over = new AbortController();
  const look = () => {
    if (page.hidden) away.abort();
  };
  page.addEventListener('visibilitychange', look, { signal: over.signal });
  return { lost: away.signal, release: () => over.abort() };
}
