import { describe, expect, it } from 'vitest';
import { type Slot, type Surroundings, takeSlot } from './slots.ts';

/** Locks as a browser keeps them, for all of its tabs. */
class FakeLocks {
  readonly held = new Set<string>();

  request = (async (
    name: string,
    _: LockOptions,
    granted: (lock: Lock | null) => Promise<unknown>,
  ) => {
    if (this.held.has(name)) return granted(null);
    this.held.add(name);
    await granted({ name, mode: 'exclusive' });
    this.held.delete(name);
    return undefined;
  }) as unknown as LockManager['request'];
}

class FakePage extends EventTarget {
  hidden = false;

  hide(hidden: boolean): void {
    this.hidden = hidden;
    this.dispatchEvent(new Event('visibilitychange'));
  }
}

const ORIGIN = 'http://relay.test';

function surroundings(protocol: string | null, over: Partial<Surroundings> = {}): Surroundings {
  return { protocol: () => protocol, locks: new FakeLocks(), page: undefined, ...over };
}

async function take(count: number, where: Surroundings): Promise<(Slot | null)[]> {
  const taken: (Slot | null)[] = [];
  for (let tab = 0; tab < count; tab += 1) taken.push(await takeSlot(ORIGIN, where));
  return taken;
}

describe('slots for streams', () => {
  it('are four over HTTP/1.1, and go on to the next tab', async () => {
    const where = surroundings('http/1.1');
    const taken = await take(7, where);
    expect(taken.map((slot) => slot !== null)).toEqual([
      true,
      true,
      true,
      true,
      false,
      false,
      false,
    ]);
    taken[1]?.release();
    await Promise.resolve();
    expect((await take(2, where)).map((slot) => slot !== null)).toEqual([true, false]);
  });

  it('are as many as there are tabs where one connection carries them all', async () => {
    for (const protocol of ['h2', 'h3', null]) {
      expect(await take(9, surroundings(protocol))).not.toContain(null);
    }
  });

  it('are for tabs that are seen where tabs cannot agree', async () => {
    const page = new FakePage() as FakePage & Document;
    const where = surroundings('http/1.1', { locks: undefined, page });
    const slot = await takeSlot(ORIGIN, where);
    expect(slot?.lost.aborted).toBe(false);
    page.hide(true);
    expect(slot?.lost.aborted).toBe(true);
    expect(await takeSlot(ORIGIN, where)).toBeNull();
    page.hide(false);
    expect(await takeSlot(ORIGIN, where)).not.toBeNull();
  });
});
