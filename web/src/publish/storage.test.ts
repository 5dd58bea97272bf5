import { beforeEach, expect, it, vi } from 'vitest';
import { DEFAULT_QUALITY } from './quality.ts';
import { DEFAULT_SOUND } from './sound/choice.ts';

/** What the browser keeps, by name; `broken`: it lets pages keep nothing. */
const store = { records: new Map<string, unknown>(), broken: false };
vi.mock('idb', () => ({
  openDB: async () => {
    const get = async (_: string, key: string) => {
      if (store.broken) throw new DOMException('no', 'InvalidStateError');
      return store.records.get(key);
    };
    const transaction = () => {
      if (store.broken) throw new DOMException('no', 'InvalidStateError');
      return {
        done: Promise.resolve(),
        store: {
          get: (key: string) => get('', key),
          put: async (value: unknown, key: string) => {
            store.records.set(key, structuredClone(value));
          },
        },
      };
    };
    const put = async (_: string, value: unknown, key: string) =>
      void store.records.set(key, value);
    return { get, put, transaction };
  },
}));
const { accessOf, memoryOf, wayTo } = await import('./storage.ts');

beforeEach(() => {
  store.records.clear();
  store.broken = false;
});

it('keeps what lets a browser in, part by part and for each broadcast', async () => {
  expect(await accessOf('main').load()).toEqual({
    token: null,
    panelSecret: null,
    key: null,
    keyGeneration: null,
  });
  expect(await accessOf('main').save({ token: 't' })).toBe(true);
  await accessOf('main').save({ panelSecret: 's' });
  expect(await accessOf('main').load()).toEqual({
    token: 't',
    panelSecret: 's',
    key: null,
    keyGeneration: null,
  });
  expect((await accessOf('other').load()).token).toBeNull();
});

it('does not lose it to what pages of before write', async () => {
  await accessOf('main').save({ token: 't', panelSecret: 's' });
  await memoryOf('main').save({ sharing: true });
  const record = { resume: null, crop: null, quality: DEFAULT_QUALITY, sharing: false, savedMs: 1 };
  store.records.set('main', record);
  expect(await accessOf('main').load()).toEqual({
    token: 't',
    panelSecret: 's',
    key: null,
    keyGeneration: null,
  });
  expect((await memoryOf('main').load()).sharing).toBe(false);
});

it('takes nothing odd, and says where nothing is kept', async () => {
  store.records.set('access main', { token: 7, panelSecret: '' });
  expect(await accessOf('main').load()).toEqual({
    token: null,
    panelSecret: null,
    key: null,
    keyGeneration: null,
  });
  store.records.set('access main', 'odd');
  expect(await accessOf('main').load()).toEqual({
    token: null,
    panelSecret: null,
    key: null,
    keyGeneration: null,
  });
  store.broken = true;
  expect(await accessOf('main').load()).toEqual({
    token: null,
    panelSecret: null,
    key: null,
    keyGeneration: null,
  });
  expect(await accessOf('main').save({ token: 't' })).toBe(false);
});

it('keeps the sound, and takes nothing odd for it', async () => {
  expect((await memoryOf('main').load()).sound).toEqual(DEFAULT_SOUND);
  const device = { id: 'd', label: 'Desk' };
  const sound = { ...DEFAULT_SOUND, microphone: { gain: 0.5, muted: true, device } };
  await memoryOf('main').save({ sound });
  expect((await memoryOf('main').load()).sound).toEqual(sound);
  store.records.set('main', { sound: { shared: { gain: -1 } } });
  expect((await memoryOf('main').load()).sound).toEqual(DEFAULT_SOUND);
});

it('keeps which carrier was open first, for a week and for its relay', async () => {
  vi.useFakeTimers();
  const way = wayTo('https://a');
  expect(await way.load()).toBeNull();
  await way.save('websocket');
  expect([await way.load(), await wayTo('https://b').load()]).toEqual(['websocket', null]);
  vi.setSystemTime(Date.now() + 6 * 86_400_000);
  await way.save('websocket');
  vi.setSystemTime(Date.now() + 86_400_000);
  expect(await way.load(), 'it had its head start').toBeNull();
  store.records.set('way https://a', { carrier: 'pigeon', savedMs: Date.now() });
  expect(await way.load()).toBeNull();
  vi.useRealTimers();
});
