// @vitest-environment jsdom
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Access } from '../publish/storage.ts';
import type { Page } from './api.ts';
import { type DeskBroadcast, DeskService, inOrder, withOver } from './DeskService.ts';

/** What this browser keeps. */
const keys = new Map<string, Partial<Access>>();
vi.mock('../publish/storage.ts', () => ({
  accessOf: (id: string) => ({
    load: async () => ({ token: null, panelSecret: null, key: null, ...keys.get(id) }),
    save: async (changes: Partial<Access>) => keys.set(id, changes) !== null,
  }),
}));

const BROADCAST: DeskBroadcast = {
  id: 'a',
  title: 'A',
  phase: 'waiting',
  sinceMs: 0,
  players: 0,
  isPrivate: false,
  playerLink: 'https://relay.example/play#token=t',
  networkLinks: [],
  warnings: [],
  createdMs: 1_000,
  lastLiveMs: null,
  over: null,
};

/** As the relay lists it. */
const listed = (id: string, more: object = {}) => ({
  id,
  title: id,
  phase: 'waiting',
  sinceUs: 0,
  players: 0,
  created: 1,
  links: { player: 'https://relay.example/play#token=t' },
  ...more,
});

let asked: { method: string; url: URL; body: unknown }[];
let answer: (method: string, url: URL) => Response;

beforeEach(() => {
  vi.useFakeTimers();
  asked = [];
  vi.stubGlobal('fetch', async (url: URL, { method = 'GET', body }: RequestInit) => {
    asked.push({ method, url, body });
    return answer(method, url);
  });
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

async function open(): Promise<DeskService> {
  const desk = new DeskService({ origin: 'https://relay.example', key: 'k' });
  desk.open();
  await vi.advanceTimersByTimeAsync(0);
  return desk;
}

it('keeps what is over, and says who has ended it', () => {
  const listed = [{ ...BROADCAST, id: 'b' }];
  const page = (broadcasts: DeskBroadcast[], more: Partial<Page>) => {
    return { broadcasts, incomplete: [], next: null, ...more };
  };
  expect(withOver([BROADCAST], page(listed, {})).map(({ id, over }) => [id, over])).toEqual([
    ['b', null],
    ['a', 'elsewhere'],
  ]);
  const own: DeskBroadcast = { ...BROADCAST, over: 'here' };
  expect(withOver([own], page([], {}))[0]?.over).toBe('here');
  // What is behind the part that was asked for may still be there.
  const behind = withOver([{ ...BROADCAST, id: 'z' }], page(listed, { next: 'b' }));
  expect(behind.map(({ id }) => id)).toEqual(['b']);
  // Its relay may be one of those that do not answer.
  expect(withOver([BROADCAST], page([], { incomplete: ['r2'] }))[0]?.over).toBeNull();
});

it('puts what is on the air first and what is over last', () => {
  const one = (id: string, change: Partial<DeskBroadcast>) => ({ ...BROADCAST, id, ...change });
  const all = [
    one('over', { over: 'here', phase: 'live' }),
    one('old', {}),
    one('young', { createdMs: 2_000 }),
    one('held', { phase: 'held' }),
    one('live', { phase: 'live' }),
  ];
  expect(inOrder(all).map(({ id }) => id)).toEqual(['live', 'held', 'young', 'old', 'over']);
});

it('reads as many parts as are wanted, again and again', async () => {
  answer = (_, url) =>
    Response.json(
      url.searchParams.get('after') === null
        ? { broadcasts: [listed('a', { created: 5, lastLive: 7 })], next: 'a' }
        : { broadcasts: [listed('b')] },
    );
  const desk = await open();
  expect(desk.snapshot().broadcasts).toMatchObject([
    { id: 'a', createdMs: 5_000, lastLiveMs: 7_000 },
  ]);
  expect(desk.snapshot().more).toBe(true);
  desk.more();
  await vi.advanceTimersByTimeAsync(0);
  expect(desk.snapshot().broadcasts?.map(({ id }) => id)).toEqual(['a', 'b']);
  expect(desk.snapshot().more).toBe(false);
  const before = asked.length;
  await vi.advanceTimersByTimeAsync(4_000);
  expect(asked.length).toBe(before + 2);
  desk.close();
  await vi.advanceTimersByTimeAsync(20_000);
  expect(asked.length).toBe(before + 2);
});

it('goes on with the list that it has while the relay does not answer', async () => {
  answer = () => Response.json({ broadcasts: [listed('a')] });
  const desk = await open();
  answer = () => {
    throw new TypeError('no network');
  };
  await vi.advanceTimersByTimeAsync(4_000);
  expect(desk.snapshot().problem?.offline).toBe(true);
  expect(desk.snapshot().broadcasts).toHaveLength(1);
  answer = () => Response.json({ broadcasts: [listed('a')] });
  await vi.advanceTimersByTimeAsync(4_000);
  expect(desk.snapshot().problem).toBeNull();
  desk.close();
});

it('makes the key of a private broadcast itself, and tells the relay nothing of it', async () => {
  answer = (method) =>
    method === 'GET'
      ? Response.json({ broadcasts: [listed('a', { private: true })] })
      : Response.json({ ...listed('a'), publishToken: 'p' });
  const desk = await open();
  await desk.create('Ours', true);
  const [one] = desk.snapshot().broadcasts ?? [];
  if (one === undefined) throw new Error('no broadcast');
  const link = await desk.whole(one, one.playerLink);
  const key = keys.get('a')?.key;
  expect(link).toBe(`https://relay.example/play#token=t&key=${key}`);
  expect(JSON.stringify(asked)).not.toContain(key);
  keys.clear();
  expect(await desk.whole(one, one.playerLink), 'in another browser').toBeNull();
  desk.close();
});

it('makes links once, and again only where that has failed', async () => {
  answer = (method) =>
    method === 'GET'
      ? Response.json({ broadcasts: [listed('a')] })
      : Response.json({ status: 503, detail: 'full' }, { status: 503 });
  const desk = await open();
  await expect(desk.links('a')).rejects.toThrow('full');
  const links = { admin: 'https://relay.example/admin#token=p', player: 'https://x.example/' };
  answer = () => Response.json({ publishToken: 'p', links });
  const made = await Promise.all([desk.links('a'), desk.links('a')]);
  expect(made.map(({ publishToken }) => publishToken)).toEqual(['p', 'p']);
  expect(asked.filter(({ method }) => method === 'POST')).toHaveLength(2);
  desk.close();
});

it('says of what it has ended that it was here', async () => {
  answer = () => Response.json({ broadcasts: [listed('a'), listed('b')] });
  const desk = await open();
  answer = (method) =>
    method === 'DELETE'
      ? new Response(null, { status: 204 })
      : Response.json({ broadcasts: [listed('b')] });
  const rows = () => desk.snapshot().broadcasts?.map(({ id, over }) => [id, over]);
  await desk.end('a');
  expect(rows()).toContainEqual(['a', 'here']);
  // The list of now comes behind.
  await vi.waitFor(() =>
    expect(rows()).toEqual([
      ['b', null],
      ['a', 'here'],
    ]),
  );
  desk.close();
});
