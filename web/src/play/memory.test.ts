import { expect, it } from 'vitest';
import { choosePlayout, chosenPlayout, Memory } from './memory.ts';
import type { Store } from './store.ts';

const DAY_MS = 86_400_000;
const BOTH = ['whep', 'webtransport'] as const;

function store(): Store & { kept: Map<string, string> } {
  const kept = new Map<string, string>();
  return {
    kept,
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => void kept.set(key, value),
  };
}

it('tries WebTransport first where nothing is remembered', () => {
  expect(new Memory('https://a', store()).order(BOTH, 0)).toEqual(['webtransport', 'whep']);
  expect(new Memory('https://a', store()).order(['whep'], 0)).toEqual(['whep']);
  expect(new Memory('https://a', null).order(BOTH, 0)).toEqual(['webtransport', 'whep']);
});

it('remembers the winner, for its relay', () => {
  const shared = store();
  new Memory('https://a', shared).won('whep', 1_000);
  expect(new Memory('https://a', shared).order(BOTH, 2_000)).toEqual(['whep', 'webtransport']);
  expect(new Memory('https://b', shared).order(BOTH, 2_000)).toEqual(['webtransport', 'whep']);
  expect(new Memory('https://a', shared).order(['webtransport'], 2_000)).toEqual(['webtransport']);
});

it('remembers it for its network, where the browser tells them apart', () => {
  const shared = store();
  const three = ['whep', 'websocket', 'webtransport'] as const;
  const at = (network: string) => new Memory('https://a', shared, network).order(three, 2_000);
  new Memory('https://a', shared, 'wifi').won('websocket', 1_000);
  expect(at('wifi')).toEqual(['websocket', 'webtransport', 'whep']);
  expect(at('cellular')).toEqual(['webtransport', 'whep', 'websocket']);
  expect(at('')).toEqual(['webtransport', 'whep', 'websocket']);
});

it('forgets after seven days, however often it won meanwhile', () => {
  const memory = new Memory('https://a', store());
  memory.won('whep', 0);
  for (let day = 1; day < 7; day += 1) {
    expect(memory.order(BOTH, day * DAY_MS)[0]).toBe('whep');
    memory.won('whep', day * DAY_MS);
  }
  expect(memory.order(BOTH, 7 * DAY_MS)[0]).toBe('webtransport');
});

it('changes its mind at once', () => {
  const memory = new Memory('https://a', store());
  memory.won('whep', 0);
  memory.won('webtransport', DAY_MS);
  expect(memory.order(BOTH, DAY_MS)[0]).toBe('webtransport');
});

it('survives a store that holds nonsense, and one that refuses', () => {
  const odd = store();
  const memory = new Memory('https://a', odd);
  memory.won('whep', 0);
  for (const [key] of odd.kept) odd.kept.set(key, '{"transport":"pigeon"');
  expect(memory.order(BOTH, 0)[0]).toBe('webtransport');
  const full: Store = {
    getItem: () => null,
    setItem: () => {
      throw new DOMException('full', 'QuotaExceededError');
    },
  };
  expect(() => new Memory('https://a', full).won('whep', 0)).not.toThrow();
});

it('keeps how the viewer wants to watch, and knows what was never offered', () => {
  const kept = store();
  expect(chosenPlayout(kept)).toBe('automatic');
  choosePlayout('smooth', kept);
  expect(chosenPlayout(kept)).toBe('smooth');
  for (const [key] of kept.kept) kept.kept.set(key, 'fast');
  expect(chosenPlayout(kept)).toBe('automatic');
  expect(chosenPlayout(null)).toBe('automatic');
  expect(() => choosePlayout('live', null)).not.toThrow();
});
