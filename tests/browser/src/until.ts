/** Waiting for conditions: polled, with a deadline, never for a fixed time. */

export interface Patience {
  /** How long at most; far longer than it ever takes. */
  withinMs?: number;
  everyMs?: number;
}

const PATIENCE_MS = 30_000;
const EVERY_MS = 25;

/** Polls `probe` until it gives something, and returns that. Throws when nothing comes in time. */
export async function until<T>(
  what: string,
  probe: () => T | Promise<T>,
  { withinMs = PATIENCE_MS, everyMs = EVERY_MS }: Patience = {},
): Promise<Exclude<T, null | undefined | false>> {
  const deadlineMs = performance.now() + withinMs;
  let last: unknown;
  for (;;) {
    const leftMs = deadlineMs - performance.now();
    if (leftMs <= 0) {
      throw new Error(`waited ${withinMs} ms in vain for ${what}; the last answer was: ${last}`);
    }
    try {
      const found = await within(what, leftMs, Promise.resolve(probe()));
      if (isFound(found)) return found;
      last = found;
    } catch (error) {
      last = error;
    }
    await pause(everyMs);
  }
}

function isFound<T>(value: T): value is Exclude<T, null | undefined | false> {
  return value !== null && value !== undefined && value !== false;
}

/** Lets time pass that a measurement covers; never to hope that something has happened by then. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** `promise`, unless it takes too long. */
export async function within<T>(what: string, ms: number, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} took longer than ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
