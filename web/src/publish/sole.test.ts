import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { becomeSole } from './sole.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

type Hold = (lock: Lock | null) => Promise<void>;

/** A browser's locks, of which one name is asked for. */
class FakeLocks {
  /** Whether another window has it. */
  other = false;
  /** How long the browser takes to give what is free. */
  slowMs = 0;
  mine = false;

  request = async (_: string, { signal }: LockOptions, hold: Hold): Promise<void> => {
    let waitedMs = 0;
    while (this.other || waitedMs < this.slowMs) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      waitedMs += 50;
      signal?.throwIfAborted();
    }
    this.mine = true;
    await hold(null);
    this.mine = false;
  };

  query = async (): Promise<LockManagerSnapshot> => {
    return { held: this.other || this.mine ? [{ name: 'a' }] : [{ name: 'b' }], pending: [] };
  };
}

/** What became of it within this time; undefined: nothing yet. */
async function within(ms: number, locks: FakeLocks): Promise<(() => void) | null | undefined> {
  let outcome: (() => void) | null | undefined;
  void becomeSole('a', locks as unknown as LockManager).then((release) => {
    outcome = release;
  });
  await vi.advanceTimersByTimeAsync(ms);
  return outcome;
}

it('takes a free lock at once, keeps it, and gives it back', async () => {
  const locks = new FakeLocks();
  const release = await within(0, locks);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(locks.mine).toBe(true);
  release?.();
  await vi.advanceTimersByTimeAsync(0);
  expect(locks.mine).toBe(false);
});

it('leaves it to another window that keeps it', async () => {
  const locks = new FakeLocks();
  locks.other = true;
  expect(await within(900, locks)).toBeUndefined();
  const late = new FakeLocks();
  late.other = true;
  expect(await within(1_200, late)).toBeNull();
});

it('takes it over from a window that is going', async () => {
  const locks = new FakeLocks();
  locks.other = true;
  setTimeout(() => {
    locks.other = false;
  }, 500);
  expect(await within(600, locks)).toBeTypeOf('function');
});

it('waits for a busy browser to give what nobody has', async () => {
  const locks = new FakeLocks();
  locks.slowMs = 5_000;
  expect(await within(6_000, locks)).toBeTypeOf('function');
});
