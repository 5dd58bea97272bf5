import type { RelayMessage } from '@steadycast/codec-glue';
import { expect, it, vi } from 'vitest';
import type { ConnectionState, KeepConnectedOptions, RelaySession } from '../session/index.ts';
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
  const link = new RelayLink({
    origin: 'https://relay.example',
    token: 't',
    agent: 'test',
    ...events,
    keep: (options) => {
      attempts.push(options);
      return new Promise((resolve) =>
        options.signal.addEventListener('abort', () => resolve(null)),
      );
    },
  });
  const become = (state: ConnectionState) => attempts.at(-1)?.onState(state);
  return { attempts, events, link, become };
}

function session(resume: Uint8Array): RelaySession {
  return {
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
  become({ kind: 'lost', reason: 'gone', retryInMs: 100, handshakes: 0 });
  expect(events.onGone).toHaveBeenLastCalledWith(false);
  expect(link.facts).toMatchObject({ phase: 'lost', reason: 'gone', everOpen: true });
  become({ kind: 'connecting', attempt: 2 });
  become({ kind: 'open', session: session(LINEAGE) });
  await link.close();
  expect(events.onGone).toHaveBeenLastCalledWith(true);
  expect(events.onGone).toHaveBeenCalledTimes(2);
  expect(link.facts.phase).toBe('off');
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
