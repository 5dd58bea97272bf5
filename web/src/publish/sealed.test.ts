import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  type ChannelKeys,
  deriveKeys,
  FRESH_MS,
  newSecret,
  Order,
  SealedChannel,
} from './sealed.ts';

const opened: { close(): void }[] = [];

async function keysOf(secret: string, broadcast = 'main'): Promise<ChannelKeys> {
  const keys = await deriveKeys(secret, broadcast);
  if (keys === null) throw new Error('no secret');
  return keys;
}

function speaker(keys: ChannelKeys): SealedChannel {
  const channel = new SealedChannel(keys);
  opened.push(channel);
  return channel;
}

function listener(keys: ChannelKeys): unknown[] {
  const heard: unknown[] = [];
  speaker(keys).listen((message) => void heard.push(message));
  return heard;
}

/** A page that knows the name of a channel, and nothing else. */
function stranger(name: string): { heard: Uint8Array[]; channel: BroadcastChannel } {
  const channel = new BroadcastChannel(name);
  const heard: Uint8Array[] = [];
  channel.onmessage = ({ data }) => void heard.push(data);
  opened.push(channel);
  return { heard, channel };
}

/** Until all that was said before is heard. */
async function settle(keys: ChannelKeys, heard: unknown[]): Promise<void> {
  const last = { type: 'last', id: crypto.randomUUID() };
  speaker(keys).post(last);
  await vi.waitFor(() => expect(heard).toContainEqual(last));
  heard.splice(
    heard.findIndex((one) => (one as { id?: string }).id === last.id),
    1,
  );
}

afterEach(() => {
  vi.useRealTimers();
  for (const one of opened.splice(0)) one.close();
});

describe('keys', () => {
  it('follow from secret and broadcast, each on its own', async () => {
    const secret = newSecret();
    const { channel, lock } = await keysOf(secret);
    const again = await keysOf(secret);
    expect([again.channel, again.lock]).toEqual([channel, lock]);
    const others = await Promise.all([keysOf(secret, 'other'), keysOf(newSecret())]);
    const names = [channel, lock, ...others.flatMap((keys) => [keys.channel, keys.lock])];
    expect(new Set(names).size).toBe(names.length);
    expect(names.join()).not.toContain('main');
  });

  it.each(['', 'short', '!', newSecret().slice(1), `${newSecret()}AAAA`])(
    'do not follow from %j',
    async (secret) => {
      expect(await deriveKeys(secret, 'main')).toBeNull();
    },
  );

  it('need WebCrypto, which pages lack that are not secure', async () => {
    vi.stubGlobal('crypto', {});
    expect(await deriveKeys('A'.repeat(43), 'main')).toBeNull();
    vi.unstubAllGlobals();
  });
});

describe('a sealed channel', () => {
  it('says what was said, in its order, with its bytes', async () => {
    const keys = await keysOf(newSecret());
    const heard = listener(keys);
    const said: object[] = Array.from({ length: 20 }, (_, count) => ({ type: 'count', count }));
    // A large one takes longer to seal than those behind it.
    said[3] = { type: 'preview', data: new Uint8Array(100_000).fill(7) };
    const one = speaker(keys);
    for (const message of said) one.post(message);
    await vi.waitFor(() => expect(heard).toHaveLength(said.length));
    expect(heard).toEqual(said);
  });

  it('shows strangers nothing of it, and takes nothing from them', async () => {
    const keys = await keysOf(newSecret());
    const heard = listener(keys);
    const { heard: overheard, channel } = stranger(keys.channel);
    const wrong = { ...(await keysOf(newSecret())), channel: keys.channel };
    speaker(keys).post({ type: 'status', reason: 'a secret reason' });
    await vi.waitFor(() => expect(heard).toHaveLength(1));
    await vi.waitFor(() => expect(overheard).toHaveLength(1));
    expect(new TextDecoder('latin1').decode(overheard[0])).not.toContain('secret reason');
    const bent = overheard[0]?.slice() ?? new Uint8Array();
    bent[40] = (bent[40] ?? 0) ^ 1;
    for (const forged of [
      { side: 'panel', type: 'stop', host: 'h' },
      'stop',
      null,
      new Uint8Array(),
      new Uint8Array(200),
      bent,
      bent.slice(0, 20),
    ]) {
      channel.postMessage(forged);
    }
    speaker(wrong).post({ type: 'stop' });
    await settle(keys, heard);
    expect(heard).toHaveLength(1);
  });

  it('hears nothing of another broadcast, whose secret is the same', async () => {
    const secret = newSecret();
    const keys = await keysOf(secret);
    const heard = listener(keys);
    const other = { ...(await keysOf(secret, 'other')), channel: keys.channel };
    speaker(other).post({ type: 'stop' });
    await settle(keys, heard);
    expect(heard).toEqual([]);
  });

  it('hears nothing twice, and nothing after what came later', async () => {
    const keys = await keysOf(newSecret());
    const heard = listener(keys);
    const { heard: overheard, channel } = stranger(keys.channel);
    const one = speaker(keys);
    for (const count of [1, 2, 3]) one.post({ count });
    await vi.waitFor(() => expect(overheard).toHaveLength(3));
    for (const again of [...overheard].reverse()) channel.postMessage(again);
    await settle(keys, heard);
    expect(heard).toEqual([{ count: 1 }, { count: 2 }, { count: 3 }]);
    // Nor does who has said it, though it has never heard of it.
    const own: unknown[] = [];
    one.listen((message) => void own.push(message));
    channel.postMessage(overheard[2]);
    await settle(keys, own);
    expect(own).toEqual([]);
  });

  it('hears nothing that is old', async () => {
    const keys = await keysOf(newSecret());
    const { heard: overheard, channel } = stranger(keys.channel);
    const one = speaker(keys);
    one.post({ type: 'stop' });
    await vi.waitFor(() => expect(overheard).toHaveLength(1));
    const late = listener(keys);
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + FRESH_MS + 1_000 });
    channel.postMessage(overheard[0]);
    await settle(keys, late);
    expect(late).toEqual([]);
  });

  it('says at once what was prepared, and it is heard once', async () => {
    const keys = await keysOf(newSecret());
    const heard = listener(keys);
    const one = speaker(keys);
    one.post({ type: 'hello' });
    const bye = await one.prepare({ type: 'bye' });
    bye();
    bye();
    one.close();
    await settle(keys, heard);
    expect(heard).toEqual([{ type: 'hello' }, { type: 'bye' }]);
  });
});

describe('an order', () => {
  it('is each sender’s own, and is not kept for those who have long been silent', () => {
    const order = new Order();
    const admits = (from: string, count: number, atMs: number, nowMs = atMs) =>
      order.admits({ from, count, atMs }, nowMs);
    expect([admits('a', 5, 0), admits('b', 1, 0), admits('a', 5, 0)]).toEqual([true, true, false]);
    expect([admits('a', 4, 1), admits('a', 9, 1)]).toEqual([false, true]);
    // From a clock that is ahead by as much as is allowed: not again as long as it is heard.
    expect(admits('c', 1, 10_000, 0)).toBe(true);
    for (const nowMs of [10_000, 20_000]) {
      admits('b', nowMs, nowMs);
      expect(admits('c', 1, 10_000, nowMs)).toBe(false);
    }
    expect([admits('d', 1, 0, 10_001), admits('d', 1, 20_000, 9_999)]).toEqual([false, false]);
  });
});
