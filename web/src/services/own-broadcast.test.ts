import { beforeEach, expect, it, vi } from 'vitest';
import type { Access } from '../publish/storage.ts';
import { type OwnOptions, ownToken } from './own-broadcast.ts';

/** What the browser keeps, and what the relay has. */
const kept = { owned: new Map<string, string>(), access: new Map<string, Access>() };
const relay = { answer: (_broadcast: string): Response => Response.error(), asked: 0 };

vi.mock('../publish/storage.ts', () => ({
  accessOf: (broadcast: string) => ({
    load: async () =>
      kept.access.get(broadcast) ?? {
        token: null,
        panelSecret: null,
        key: null,
        keyGeneration: null,
      },
    save: async ({ token }: Access) => {
      kept.access.set(broadcast, { token, panelSecret: null, key: null, keyGeneration: null });
      return true;
    },
  }),
  ownedBy: (origin: string, adminId: string) => ({
    load: async () => kept.owned.get(`${origin} ${adminId}`) ?? null,
    save: async (broadcast: string) => kept.owned.set(`${origin} ${adminId}`, broadcast),
  }),
}));

const there = (id: string) =>
  Response.json({
    ...{ id, title: '', phase: 'waiting', sinceUs: 1, players: 0 },
    links: { player: '/play' },
  });

function tokenFor(broadcast: string, role = 'publish', exp = 4_000_000_000): string {
  const claims = { exp, steadycast: { broadcast, roles: [role] } };
  return `e30.${btoa(JSON.stringify(claims)).replaceAll('=', '')}.c2ln`;
}

/** One after the other, as a browser does it. */
function locks() {
  let last: Promise<unknown> = Promise.resolve();
  return {
    request: (_: string, act: () => Promise<unknown>) => {
      last = last.catch(() => undefined).then(act);
      return last;
    },
  };
}

let made = 0;
const options = (adminId: string, change: Partial<OwnOptions> = {}): OwnOptions => ({
  origin: 'https://relay.example',
  adminId,
  publishToken: async (admin) => {
    made += 1;
    return tokenFor(`${admin}-${made}`);
  },
  ...change,
});

beforeEach(() => {
  made = 0;
  kept.owned.clear();
  kept.access.clear();
  relay.asked = 0;
  relay.answer = there;
  vi.stubGlobal('navigator', { locks: locks() });
  vi.stubGlobal('fetch', async (url: URL) => {
    relay.asked += 1;
    return relay.answer(url.pathname.split('/').at(-1) ?? '');
  });
});

it('makes one broadcast for an admin, and has it again from then on', async () => {
  const all = await Promise.all([ownToken(options('a')), ownToken(options('a'))]);
  expect(all).toEqual([tokenFor('a-1'), tokenFor('a-1')]);
  expect(await ownToken(options('a'))).toBe(tokenFor('a-1'));
  expect(await ownToken(options('b'))).toBe(tokenFor('b-2'));
});

it('makes a new one where the old one is gone, and not where the relay is', async () => {
  await ownToken(options('a'));
  relay.answer = () => {
    throw new TypeError('offline');
  };
  expect(await ownToken(options('a'))).toBe(tokenFor('a-1'));
  relay.answer = () => Response.json({ code: 'unknown_broadcast' }, { status: 404 });
  expect(await ownToken(options('a'))).toBe(tokenFor('a-2'));
});

it('asks nobody about a token that has expired', async () => {
  const soon = tokenFor('old', 'publish', Math.floor(Date.now() / 1_000) + 5);
  await ownToken(options('a', { publishToken: async () => soon }));
  expect(await ownToken(options('a'))).toBe(tokenFor('a-1'));
  expect(relay.asked).toBe(0);
});

it('tells the app’s server of the broadcast whose token is over, and waits for it no longer than people do', async () => {
  await ownToken(options('a'));
  relay.answer = () => Response.json({ code: 'token_expired' }, { status: 401 });
  const asked: (string | null)[] = [];
  const publishToken = async (_: string, broadcast: string | null) => {
    asked.push(broadcast);
    return tokenFor('a-1', 'publish', 4_000_000_001);
  };
  await ownToken(options('a', { publishToken }));
  expect(asked).toEqual(['a-1']);
  vi.useFakeTimers();
  const late = ownToken(options('b', { publishToken: () => new Promise(() => undefined) }));
  const refused = expect(late).rejects.toThrow('not answered');
  await vi.advanceTimersByTimeAsync(15_000);
  await refused;
  vi.useRealTimers();
});

it('passes on what the app’s server says, and takes no token that publishes nothing', async () => {
  const refused = options('a', { publishToken: () => Promise.reject(new Error('not yours')) });
  await expect(ownToken(refused)).rejects.toThrow('not yours');
  for (const token of ['', 'x', tokenFor('a', 'play'), undefined, {}]) {
    const given = ownToken(options('a', { publishToken: async () => token as string }));
    await expect(given).rejects.toThrow(TypeError);
  }
  expect(kept.owned.size).toBe(0);
});
