import type { RelayMessage } from '@steadycast/codec-glue';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FakeRelay } from '../session/fake.ts';
import type {
  CarrierName,
  Connect,
  ConnectionState,
  KeepConnectedOptions,
  RelaySession,
  Transport,
} from '../session/index.ts';
import { CLIMB_PAUSE_MS } from './climb.ts';
import { RelayLink } from './link.ts';

/** A connection loop whose states the test decides. */
function setUp() {
  const attempts: KeepConnectedOptions[] = [];
  const events = {
    onOpen: vi.fn(),
    onGone: vi.fn(),
    onListeners: vi.fn(),
    onKeyframeRequest: vi.fn(),
    onWanted: vi.fn(),
    onArrived: vi.fn(),
    onChange: vi.fn(),
    onRefused: vi.fn(),
  };
  const carriers = {
    connect: vi.fn<Connect>(),
    opened: vi.fn<(carrier: CarrierName) => void>(),
    brokeOff: vi.fn<(carrier: CarrierName) => void>(),
    frail: false,
    hasBetter: (carrier: CarrierName) => carrier !== 'webtransport',
    best: vi.fn<(signal: AbortSignal) => Promise<Transport>>(),
    reach: vi.fn<(signal: AbortSignal) => Promise<Transport>>(),
  };
  const link = new RelayLink({
    origin: 'https://relay.example',
    token: 't',
    agent: 'test',
    carriersAt: () => carriers,
    ...events,
    keep: (options) => {
      attempts.push(options);
      return new Promise((resolve) =>
        options.signal.addEventListener('abort', () => resolve(null)),
      );
    },
  });
  const become = (state: ConnectionState) => attempts.at(-1)?.onState(state);
  return { attempts, carriers, events, link, become };
}

function session(resume: Uint8Array, carrier: CarrierName = 'webtransport'): RelaySession {
  return {
    carrier,
    welcome: { resume },
    onMessage: () => () => undefined,
    ended: new Promise(() => undefined),
  } as unknown as RelaySession;
}

const LINEAGE = new Uint8Array(16).fill(7);

it('reconnects with the lineage that the relay gave', async () => {
  const { attempts, events, link, become } = setUp();
  await link.connect(null);
  expect(attempts[0]?.resume?.()).toBeNull();
  become({ kind: 'open', session: session(LINEAGE) });
  expect(events.onOpen).toHaveBeenCalledTimes(1);
  expect(attempts[0]?.resume?.()).toEqual(LINEAGE);
});

it('passes on what came right after the welcome, once the session is open', async () => {
  const { events, link, become } = setUp();
  await link.connect(null);
  const order: string[] = [];
  events.onOpen.mockImplementation(() => order.push('open'));
  events.onWanted.mockImplementation(() => order.push('renditions'));
  const eager = {
    ...session(LINEAGE),
    onMessage: (listener: (message: RelayMessage) => void) => {
      listener({ type: 'renditions', wanted: [] });
      return () => undefined;
    },
  };
  become({ kind: 'open', session: eager as unknown as RelaySession });
  expect(order).toEqual(['open', 'renditions']);
});

it('tells a lost session from one that was closed here', async () => {
  const { events, link, become } = setUp();
  await link.connect(null);
  become({ kind: 'open', session: session(LINEAGE) });
  become({ kind: 'lost', reason: 'gone', retryInMs: 100, handshakes: 0, why: 'broken' });
  expect(events.onGone).toHaveBeenLastCalledWith(false);
  expect(link.facts).toMatchObject({ phase: 'lost', reason: 'gone', everOpen: true });
  become({ kind: 'connecting', attempt: 2 });
  become({ kind: 'open', session: session(LINEAGE) });
  await link.close();
  expect(events.onGone).toHaveBeenLastCalledWith(true);
  expect(events.onGone).toHaveBeenCalledTimes(2);
  expect(link.facts.phase).toBe('off');
});

it('says on what a session broke off, and nothing of one that the relay itself ended', async () => {
  const { carriers, link, become } = setUp();
  await link.connect(null);
  become({ kind: 'opening', brokeOff: false });
  become({ kind: 'open', session: session(LINEAGE) });
  expect(carriers.opened.mock.calls).toEqual([['webtransport']]);
  become({ kind: 'lost', reason: 'restarting', retryInMs: 100, handshakes: 0, why: 'broken' });
  become({ kind: 'opening', brokeOff: false });
  become({ kind: 'open', session: session(LINEAGE) });
  expect(carriers.brokeOff).not.toHaveBeenCalled();
  become({ kind: 'lost', reason: 'gone', retryInMs: 100, handshakes: 0, why: 'broken' });
  become({ kind: 'opening', brokeOff: true });
  expect(carriers.brokeOff.mock.calls).toEqual([['webtransport']]);
  await link.close();
});

it('stays refused until it is told to connect again', async () => {
  const { attempts, events, link, become } = setUp();
  await link.connect(LINEAGE);
  become({ kind: 'open', session: session(LINEAGE) });
  become({ kind: 'refused', code: 'superseded', message: 'another publisher has taken over' });
  expect(events.onRefused).toHaveBeenCalledTimes(1);
  expect(link.running).toBe(false);
  expect(link.facts).toMatchObject({ phase: 'refused', code: 'superseded' });
  await link.connect(null);
  expect(attempts).toHaveLength(2);
  expect(attempts[1]?.resume?.()).toBeNull();
});

it('hears nothing of a loop that was closed', async () => {
  const { attempts, events, link } = setUp();
  await link.connect(null);
  await link.close();
  events.onChange.mockClear();
  attempts[0]?.onState({ kind: 'open', session: session(LINEAGE) });
  expect(events.onOpen).not.toHaveBeenCalled();
  expect(events.onChange).not.toHaveBeenCalled();
});

describe('on a lesser carrier', () => {
  beforeEach(() => {
    vi.useFakeTimers();
    vi.stubGlobal('addEventListener', vi.fn());
    vi.stubGlobal('removeEventListener', vi.fn());
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  /** Live over WebSocket, while the better way is open again. */
  async function overTcp() {
    const set = setUp();
    const better = new FakeRelay();
    set.carriers.best.mockResolvedValue(better.transport);
    await set.link.connect(null);
    const lesser = session(LINEAGE, 'websocket');
    set.become({ kind: 'open', session: lesser });
    return { ...set, better, lesser };
  }

  const climb = () => vi.advanceTimersByTimeAsync(CLIMB_PAUSE_MS.first);

  it('a session on the better one takes over, with the lineage, before the other ends', async () => {
    const { attempts, events, link, better, become } = await overTcp();
    await climb();
    expect(attempts).toHaveLength(2);
    expect(attempts[1]?.resume?.()).toEqual(LINEAGE);
    expect(attempts[0]?.signal.aborted, 'the picture goes on meanwhile').toBe(false);
    const { signal } = new AbortController();
    expect(await attempts[1]?.connect?.({} as never, signal)).toBe(better.transport);
    const best = session(LINEAGE);
    become({ kind: 'open', session: best });
    expect(events.onGone.mock.calls).toEqual([[true]]);
    expect([link.session, attempts[0]?.signal.aborted]).toEqual([best, true]);
    await vi.advanceTimersByTimeAsync(CLIMB_PAUSE_MS.most);
    expect(attempts, 'nothing is better than that').toHaveLength(2);
  });

  it('is not refused for what its own next session does', async () => {
    const { attempts, events, link, become } = await overTcp();
    await climb();
    attempts[0]?.onState({ kind: 'refused', code: 'superseded', message: 'another publisher' });
    expect(events.onRefused).not.toHaveBeenCalled();
    become({ kind: 'open', session: session(LINEAGE) });
    expect([events.onRefused.mock.calls.length, link.facts.phase]).toEqual([0, 'open']);
  });

  it('is refused where it was somebody else who took over', async () => {
    const { attempts, events, become, better } = await overTcp();
    await climb();
    attempts[0]?.onState({ kind: 'refused', code: 'superseded', message: 'another publisher' });
    become({ kind: 'lost', reason: 'gone', retryInMs: 100, handshakes: 1, why: 'blocked' });
    expect(events.onRefused).toHaveBeenCalledTimes(1);
    expect([attempts[1]?.signal.aborted, better.closedWith]).toEqual([true, {}]);
  });

  it('the session stays where the better one is closed again, and it is tried later', async () => {
    const { attempts, carriers, events, link, lesser } = await overTcp();
    carriers.best.mockRejectedValue(new Error('no UDP'));
    await climb();
    await climb();
    expect(carriers.best).toHaveBeenCalledTimes(1);
    await climb();
    expect(carriers.best).toHaveBeenCalledTimes(2);
    expect([attempts.length, link.session, events.onGone.mock.calls.length]).toEqual([
      1,
      lesser,
      0,
    ]);
  });

  it('the session stays where another one is refused, and none is asked for again', async () => {
    const { attempts, carriers, events, link, lesser } = await overTcp();
    await climb();
    attempts[1]?.onState({ kind: 'refused', code: 'token_expired', message: 'expired' });
    await vi.advanceTimersByTimeAsync(2 * CLIMB_PAUSE_MS.most);
    expect(carriers.best).toHaveBeenCalledTimes(1);
    expect([link.session, events.onGone.mock.calls, events.onRefused.mock.calls]).toEqual([
      lesser,
      [],
      [],
    ]);
  });

  it('a host that stops meanwhile leaves nothing behind', async () => {
    const { attempts, events, link, better, become } = await overTcp();
    await climb();
    await link.close();
    expect([attempts[1]?.signal.aborted, better.closedWith]).toEqual([true, {}]);
    become({ kind: 'open', session: session(LINEAGE) });
    expect([link.session, events.onOpen.mock.calls.length]).toEqual([null, 1]);
  });
});

describe('where there are other relays', () => {
  const HOME = 'https://relay.example';
  const B = 'https://b.example';
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  /** Live, and told of another relay. */
  async function live() {
    const set = setUp();
    const there = new FakeRelay();
    set.carriers.reach.mockResolvedValue(there.transport);
    await set.link.connect(null);
    let tell: (message: RelayMessage) => void = () => undefined;
    const own = {
      ...session(LINEAGE),
      silentMs: 0,
      onMessage: (listener: (message: RelayMessage) => void) => {
        tell = listener;
        return () => undefined;
      },
    };
    set.become({ kind: 'open', session: own as unknown as RelaySession });
    tell({ type: 'relays', relays: [B] });
    return { ...set, there, own, tell: (message: RelayMessage) => tell(message) };
  }

  const gone = { kind: 'lost', reason: 'gone', retryInMs: 100, handshakes: 0 } as const;

  it('goes to another one when its own is dead, with the lineage', async () => {
    const { attempts, become, link } = await live();
    become({ ...gone, why: 'broken' });
    expect(attempts, 'it may be a session that broke off, and no more').toHaveLength(1);
    become({ ...gone, why: 'absent' });
    expect(attempts.map(({ origin }) => origin)).toEqual([HOME, B]);
    expect([attempts[0]?.signal.aborted, attempts[1]?.resume?.()]).toEqual([true, LINEAGE]);
    become({ kind: 'open', session: session(LINEAGE) });
    expect(link.facts.phase).toBe('open');
    // Neither is tried again and again.
    become({ ...gone, why: 'absent' });
    expect(attempts).toHaveLength(2);
    vi.advanceTimersByTime(2_000);
    become({ ...gone, why: 'absent' });
    expect(attempts.at(-1)?.origin).toBe(HOME);
  });

  it('is told to go, and publishes there before it ends what is here', async () => {
    const { attempts, events, link, tell, there, become } = await live();
    tell({ type: 'move', withinMs: 9_000 });
    await vi.advanceTimersByTimeAsync(0);
    expect(attempts.map(({ origin }) => origin)).toEqual([HOME, B]);
    expect(attempts[0]?.signal.aborted).toBe(false);
    const { signal } = new AbortController();
    expect(await attempts[1]?.connect?.({} as never, signal)).toBe(there.transport);
    // The relay that it leaves hears of the new publisher first.
    attempts[0]?.onState({ kind: 'refused', code: 'superseded', message: 'another publisher' });
    expect(events.onRefused).not.toHaveBeenCalled();
    const next = session(LINEAGE);
    become({ kind: 'open', session: next });
    expect([link.session, attempts[0]?.signal.aborted]).toEqual([next, true]);
  });

  it('leaves a relay that is silent, and not one that is heard again', async () => {
    const { attempts, own, carriers } = await live();
    carriers.reach.mockImplementation(() => new Promise(() => undefined));
    own.silentMs = 1_400;
    await vi.advanceTimersByTimeAsync(300);
    expect(carriers.reach).not.toHaveBeenCalled();
    own.silentMs = 1_600;
    await vi.advanceTimersByTimeAsync(300);
    expect(carriers.reach).toHaveBeenCalledTimes(1);
    expect(attempts).toHaveLength(1);
  });

  it('is not refused for what another relay does not have', async () => {
    const { attempts, events, become } = await live();
    become({ ...gone, why: 'full' });
    vi.advanceTimersByTime(2_000);
    become({ kind: 'refused', code: 'unknown_broadcast', message: 'what?' });
    expect(events.onRefused).not.toHaveBeenCalled();
    expect(attempts.map(({ origin }) => origin)).toEqual([HOME, B, HOME]);
    become({ kind: 'refused', code: 'unknown_broadcast', message: 'it has ended' });
    expect(events.onRefused).toHaveBeenCalledTimes(1);
  });
});
