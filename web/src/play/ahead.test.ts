import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { FakeRelay } from '../session/fake.ts';
import type { ConnectionState } from '../session/index.ts';
import { Ahead, type AheadDeps } from './ahead.ts';

const ORIGIN = 'https://relay.test';
const ENDPOINT = {
  sessionUrl: `${ORIGIN}/session`,
  certificateHashes: [],
  versions: { min: 1, max: 2 },
  clock: null,
};

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

/** A relay that anybody may connect to, and who did. */
function setUp(change: Partial<Pick<AheadDeps, 'connect' | 'told'>> = {}) {
  const relays: FakeRelay[] = [];
  const deps = {
    probe: vi.fn(async () => 'ok' as const),
    told: change.told ?? Promise.resolve(null),
    fetchEndpoint: vi.fn(async () => ENDPOINT),
    connect: vi.fn<AheadDeps['connect']>(
      change.connect ??
        (async () => {
          const relay = new FakeRelay();
          relays.push(relay);
          return relay.transport;
        }),
    ),
  };
  return { deps, relays, ahead: new Ahead(ORIGIN, deps) };
}

/** Runs until the next state is `kind`. */
async function connect(ahead: Ahead, kind: ConnectionState['kind'], origin = ORIGIN) {
  const abort = new AbortController();
  const reached = new Promise<void>((resolve) => {
    void ahead.keepConnected({
      origin,
      role: 'player',
      token: 't',
      agent: 'test',
      signal: abort.signal,
      onState: (state) => {
        if (state.kind === kind) resolve();
      },
    });
  });
  await vi.advanceTimersByTimeAsync(5_000);
  await reached;
  return abort;
}

it('opens the first session on what was begun before', async () => {
  const { ahead, deps, relays } = setUp();
  await vi.advanceTimersByTimeAsync(100);
  expect(deps.connect).toHaveBeenCalledTimes(1);
  await connect(ahead, 'open');
  expect(deps.probe).toHaveBeenCalledTimes(1);
  expect(deps.fetchEndpoint).toHaveBeenCalledTimes(1);
  expect(deps.connect).toHaveBeenCalledTimes(1);
  expect(relays[0]?.heard[0]).toMatchObject({ type: 'hello', token: 't' });
});

it('asks nothing that somebody else has been told, but for the first session alone', async () => {
  const sessionUrl = `${ORIGIN}/told`;
  const { ahead, deps } = setUp({ told: Promise.resolve({ ...ENDPOINT, sessionUrl }) });
  await connect(ahead, 'open');
  expect(deps.fetchEndpoint).not.toHaveBeenCalled();
  expect(deps.connect.mock.calls[0]?.[0].sessionUrl).toBe(sessionUrl);
  await connect(ahead, 'open');
  expect(deps.fetchEndpoint).toHaveBeenCalledTimes(1);
});

it('connects anew for every other session', async () => {
  const { ahead, relays } = setUp();
  await connect(ahead, 'open');
  await connect(ahead, 'open');
  expect(relays.length).toBe(2);
  expect(relays[1]?.heard[0]?.type).toBe('hello');
});

it('tells of a handshake that failed, and tries again', async () => {
  const failing = vi.fn(async () => {
    throw new Error('no UDP');
  });
  const { ahead } = setUp({ connect: failing });
  await connect(ahead, 'lost');
  expect(failing.mock.calls.length).toBeGreaterThan(1);
});

it('closes what nobody wanted', async () => {
  const { relays } = setUp();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(relays[0]?.closedWith).not.toBeNull();
});
