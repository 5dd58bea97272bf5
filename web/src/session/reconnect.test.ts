import { CODES } from '@steadycast/codec-glue';
import { describe, expect, it, vi } from 'vitest';
import type { Health } from './endpoint.ts';
import { SessionError, unreachable } from './error.ts';
import { FakeRelay } from './fake.ts';
import {
  type ConnectionState,
  type KeepConnectedOptions,
  keepConnected,
  keepOpen,
} from './reconnect.ts';
import { RelaySession, type SessionOptions } from './session.ts';

type Attempt = 'welcome' | Error;

interface Script {
  health?: Health[];
  attempts?: Attempt[];
  /** What happens to a session once it is open. */
  open?: (relay: FakeRelay) => void;
  lastsMs?: number;
  /** When the relay that answers was started, each time. */
  startedUs?: number[];
}

/** Runs the loop against a script, on virtual time, until `stopAfter` sleeps. */
async function run(script: Script, stopAfter = 4) {
  const abort = new AbortController();
  const log: string[] = [];
  const sleeps: number[] = [];
  const states: ConnectionState[] = [];
  const health = [...(script.health ?? [])];
  const attempts = [...(script.attempts ?? [])];
  const started = [...(script.startedUs ?? [])];
  let nowMs = 0;
  const deps: KeepConnectedOptions['deps'] = {
    probe: async () => {
      log.push('probe');
      return health.shift() ?? 'ok';
    },
    fetchEndpoint: async () => ({
      sessionUrl: 'https://relay.test/session',
      certificateHashes: [],
      versions: { min: 1, max: 2 },
      clock: null,
      startedUs: started.shift() ?? 7,
    }),
    open: async (options: SessionOptions) => {
      log.push('open');
      const attempt = attempts.shift() ?? 'welcome';
      if (attempt !== 'welcome') throw attempt;
      const relay = new FakeRelay();
      const session = await RelaySession.open({ ...options, connect: async () => relay.transport });
      queueMicrotask(() => {
        nowMs += script.lastsMs ?? 0;
        script.open?.(relay);
      });
      return session;
    },
    sleep: async (ms) => {
      sleeps.push(ms);
      nowMs += ms;
      if (sleeps.length >= stopAfter) abort.abort();
    },
    random: () => 1,
    nowMs: () => nowMs,
  };
  const outcome = await keepConnected({
    origin: 'https://relay.test',
    role: 'player',
    token: 't',
    agent: 'test',
    signal: abort.signal,
    onState: (state) => states.push(state),
    deps,
  });
  return { outcome, log, sleeps, states };
}

it('opens no session before the relay answers over TCP', async () => {
  const { log, sleeps } = await run({ health: ['unreachable', 'draining', 'ok'] }, 2);
  expect(log).toEqual(['probe', 'probe']);
  expect(sleeps).toEqual([200, 400]);
});

it('probes before every handshake, and waits longer after each that fails', async () => {
  const attempts = Array.from({ length: 6 }, () => unreachable('handshake'));
  const { log, sleeps, states } = await run({ attempts }, 5);
  expect(log).toEqual(Array.from({ length: 5 }, () => ['probe', 'open']).flat());
  expect(sleeps).toEqual([2_000, 4_000, 8_000, 15_000, 15_000]);
  expect(states.at(-1)).toMatchObject({ kind: 'lost', handshakes: 5 });
});

it('comes back soon after losing a good session', async () => {
  const { sleeps } = await run({ open: (relay) => relay.lose(), lastsMs: 60_000 }, 3);
  expect(sleeps).toEqual([100, 100, 100]);
});

it('slows down when sessions do not hold', async () => {
  const { sleeps } = await run({ open: (relay) => relay.lose() }, 6);
  expect(sleeps).toEqual([200, 400, 800, 1_600, 2_000, 2_000]);
});

it('waits as long as a goodbye asks, and a little', async () => {
  const { sleeps } = await run(
    {
      open: (relay) =>
        relay.say({
          type: 'goodbye',
          code: CODES.shutting_down.number,
          message: '',
          retryAfterMs: 4_000,
        }),
    },
    1,
  );
  expect(sleeps).toEqual([5_000]);
});

describe('that a session broke off', () => {
  const told = (states: ConnectionState[]) =>
    states.flatMap((state) => (state.kind === 'opening' ? [state.brokeOff] : []));

  it('is told where the relay is found there at once', async () => {
    const { states } = await run({ open: (relay) => relay.lose() }, 3);
    expect(told(states)).toEqual([false, true, true]);
  });

  it('says nothing of the way where the relay itself was gone, or has said that it goes', async () => {
    const gone = await run(
      { health: ['ok', 'unreachable', 'ok'], open: (relay) => relay.lose() },
      3,
    );
    expect(told(gone.states)).toEqual([false, false]);
    const again = await run({ startedUs: [1, 2, 2], open: (relay) => relay.lose() }, 3);
    expect(told(again.states), 'it was restarted too soon to be missed').toEqual([
      false,
      false,
      true,
    ]);
    const { number } = CODES.shutting_down;
    const goodbye = { type: 'goodbye', code: number, message: '', retryAfterMs: 10 } as const;
    const { states } = await run({ open: (relay) => relay.say(goodbye) }, 3);
    expect(told(states)).toEqual([false, false, false]);
  });
});

it('stops at a goodbye without retry', async () => {
  const { outcome, sleeps, states } = await run({
    open: (relay) =>
      relay.say({
        type: 'goodbye',
        code: CODES.broadcast_ended.number,
        message: 'over',
        retryAfterMs: null,
      }),
  });
  expect(outcome).toEqual({ kind: 'refused', code: 'broadcast_ended', message: 'over' });
  expect(sleeps).toEqual([]);
  expect(states.map(({ kind }) => kind)).toEqual(['connecting', 'opening', 'open', 'refused']);
});

it('stops at a refusal without retry, goes on after one with', async () => {
  const refused = (code: 'unauthorized' | 'too_many', retryAfterMs: number | null) =>
    new SessionError('refused', 'no', { code, retryAfterMs });
  const { outcome, sleeps } = await run({
    attempts: [refused('too_many', 800), refused('unauthorized', null)],
  });
  expect(sleeps).toEqual([1_000]);
  expect(outcome).toEqual({ kind: 'refused', code: 'unauthorized', message: 'no' });
});

it('stops where no session can ever be', async () => {
  const { outcome } = await run({ attempts: [new SessionError('unsupported', 'old')] });
  expect(outcome).toEqual({ kind: 'unsupported', message: 'old' });
});

it('survives a fault of its own', async () => {
  const { sleeps } = await run({ attempts: [new TypeError('a bug')] }, 1);
  expect(sleeps).toEqual([1_250]);
});

it('tries again at once when the network is back', async () => {
  const network = new EventTarget();
  vi.stubGlobal('addEventListener', network.addEventListener.bind(network));
  vi.stubGlobal('removeEventListener', network.removeEventListener.bind(network));
  const abort = new AbortController();
  let probes = 0;
  const over = keepOpen({
    origin: 'https://relay.test',
    signal: abort.signal,
    open: () => Promise.reject(unreachable('unused')),
    onState: ({ kind }) => {
      // The loop sleeps right after it has said so.
      if (kind === 'lost') setTimeout(() => network.dispatchEvent(new Event('online')));
    },
    deps: {
      random: () => 1,
      fetchEndpoint: () => Promise.reject(unreachable('no answer')),
      probe: async () => {
        probes += 1;
        // Were they waited for, these pauses would take more than a minute.
        if (probes === 40) abort.abort();
        return 'unreachable';
      },
    },
  });
  expect(await over).toBeNull();
  vi.unstubAllGlobals();
});
