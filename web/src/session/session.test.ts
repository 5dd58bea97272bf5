import { type ClientMessage, CODES, type RelayMessage } from '@steadycast/codec-glue';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { SessionError } from './error.ts';
import { FakeRelay, WELCOME, welcoming } from './fake.ts';
import { RelaySession } from './session.ts';

const endpoint = {
  sessionUrl: 'https://relay.test/session',
  certificateHashes: [],
  clock: null,
  versions: { min: 1, max: 2 },
};

function open(
  relay: Pick<FakeRelay, 'transport'>,
  signal = new AbortController().signal,
  versions = endpoint.versions,
): Promise<RelaySession> {
  return RelaySession.open({
    origin: 'https://relay.test',
    role: 'player',
    token: 't',
    agent: 'test',
    resume: null,
    signal,
    endpoint: { ...endpoint, versions },
    connect: async () => relay.transport,
  });
}

const goodbye = (code: number, retryAfterMs: number | null): RelayMessage => ({
  type: 'goodbye',
  code,
  message: 'so long',
  retryAfterMs,
});

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('opening', () => {
  it('says hello first, then pings at once', async () => {
    const relay = new FakeRelay();
    const session = await open(relay);
    await vi.advanceTimersByTimeAsync(0);
    expect(relay.heard.map(({ type }) => type)).toEqual(['hello', 'ping']);
    expect(session.welcome).toEqual(WELCOME);
    expect(session.status.phase).toBe('live');
  });

  it('is refused with the relay’s code and time', async () => {
    const relay = new FakeRelay(() => goodbye(CODES.too_many.number, 700));
    const error = await open(relay).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(SessionError);
    expect(error).toMatchObject({ kind: 'refused', code: 'too_many', retryAfterMs: 700 });
    expect(relay.closedWith).not.toBeNull();
  });

  it('does not wait for ever for a stream that never opens', async () => {
    const relay = new FakeRelay();
    const transport = {
      ...relay.transport,
      createBidirectionalStream: () => new Promise<never>(() => undefined),
    };
    const opened = open({ transport }).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(await opened).toMatchObject({ kind: 'unreachable' });
    expect(relay.closedWith).toEqual({});
  });

  it('speaks the newest version that both know', async () => {
    for (const [max, version] of [
      [1, 1],
      [2, 2],
      [7, 6],
    ] as const) {
      const relay = new FakeRelay((message) =>
        message.type === 'hello' ? { ...WELCOME, version } : welcoming(message),
      );
      const session = await open(relay, undefined, { min: 1, max });
      expect(relay.heard[0]).toMatchObject({ type: 'hello', version });
      expect(session.welcome.version).toBe(version);
    }
  });

  it('says in words that there is no such version', async () => {
    const relay = new FakeRelay();
    const error = await open(relay, undefined, { min: 8, max: 9 }).catch((error: unknown) => error);
    expect(error).toMatchObject({ kind: 'refused', code: 'unsupported_version' });
    expect(String(error)).toContain('versions 8 to 9');
    expect(relay.heard).toEqual([]);
  });

  it('takes no welcome in a version that it does not speak', async () => {
    const relay = new FakeRelay(() => ({ ...WELCOME, version: 4 }));
    await expect(open(relay)).rejects.toMatchObject({ code: 'unsupported_version' });
    expect(relay.closedWith).not.toBeNull();
  });

  it('gives up on a relay that says nothing', async () => {
    const attempt = open(new FakeRelay(() => null)).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(await attempt).toMatchObject({ kind: 'unreachable' });
  });

  it('is unreachable when the relay talks rubbish', async () => {
    const relay = new FakeRelay(() => ({ type: 'keyframeRequest', track: 0 }));
    await expect(open(relay)).rejects.toMatchObject({ kind: 'unreachable' });
  });

  it('ends with the signal', async () => {
    const abort = new AbortController();
    const attempt = open(new FakeRelay(() => null), abort.signal).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(10);
    abort.abort('enough');
    expect(await attempt).toBe('enough');
  });
});

describe('an open session', () => {
  it('keeps what came before anybody listened', async () => {
    const relay = new FakeRelay();
    const session = await open(relay);
    const status = { ...WELCOME.status, phase: 'held' as const };
    relay.say({ type: 'status', status });
    await vi.advanceTimersByTimeAsync(0);
    const messages: RelayMessage[] = [];
    session.onMessage((message) => messages.push(message));
    expect(messages).toContainEqual({ type: 'status', status });
    expect(session.status).toEqual(status);
  });

  it('keeps no more than the newest of each matter, however much came', async () => {
    const relay = new FakeRelay();
    const session = await open(relay);
    await vi.advanceTimersByTimeAsync(0);
    const request = (track: number): RelayMessage => ({ type: 'keyframeRequest', track });
    const path = (carriesKbps: number): RelayMessage => ({
      type: 'path',
      narrow: true,
      carriesKbps,
    });
    for (let round = 1; round <= 1_000; round += 1) {
      for (const message of [path(round), request(1), request(0)]) relay.say(message);
      await vi.advanceTimersByTimeAsync(0);
    }
    const messages: RelayMessage[] = [];
    session.onMessage((message) => messages.push(message));
    const told = messages.filter(({ type }) => type !== 'pong');
    expect(told).toEqual([path(1_000), request(1), request(0)]);
    expect(messages.length).toBeLessThanOrEqual(told.length + 1);
    session.onMessage(() => {
      throw new Error('told twice');
    });
  });

  it('pings at the relay’s pace and lives on the pongs', async () => {
    const relay = new FakeRelay();
    const session = await open(relay);
    await vi.advanceTimersByTimeAsync(30_000);
    expect(relay.heard.filter(({ type }) => type === 'ping')).toHaveLength(31);
    expect(relay.closedWith).toBeNull();
    expect(session.rttUs).toBeGreaterThanOrEqual(0);
  });

  it('asks a silent relay out of turn where there are others, and only there', async () => {
    const relay = new FakeRelay((message) => (message.type === 'hello' ? WELCOME : null));
    const session = await open(relay);
    const pings = () => relay.heard.filter(({ type }) => type === 'ping').length;
    await vi.advanceTimersByTimeAsync(900);
    expect(pings(), 'its first').toBe(1);
    relay.say({ type: 'relays', relays: ['https://b.test'] });
    await vi.advanceTimersByTimeAsync(0);
    session.heard();
    const before = pings();
    await vi.advanceTimersByTimeAsync(1_000);
    // One at the usual time, and two for the silence.
    expect(pings() - before).toBe(3);
    for (let turn = 0; turn < 20; turn += 1) {
      session.heard();
      await vi.advanceTimersByTimeAsync(100);
    }
    expect(pings() - before, 'none while anything is heard').toBe(5);
    await session.close('done', '');
    await vi.advanceTimersByTimeAsync(5_000);
    expect(pings() - before).toBe(5);
  });

  it('is lost after three heartbeats of silence', async () => {
    const relay = new FakeRelay((message) => (message.type === 'hello' ? WELCOME : null));
    const session = await open(relay);
    await vi.advanceTimersByTimeAsync(3_000);
    expect(await session.ended).toMatchObject({ kind: 'lost' });
    expect(relay.closedWith).not.toBeNull();
  });

  it('lives on bytes of group streams', async () => {
    const relay = new FakeRelay((message) => (message.type === 'hello' ? WELCOME : null));
    const session = await open(relay);
    for (let turn = 0; turn < 10; turn += 1) {
      await vi.advanceTimersByTimeAsync(1_000);
      session.heard();
    }
    expect(relay.closedWith).toBeNull();
  });
});

describe('a session ends', () => {
  it('with the relay’s goodbye', async () => {
    const relay = new FakeRelay();
    const session = await open(relay);
    relay.say(goodbye(CODES.broadcast_ended.number, null));
    expect(await session.ended).toEqual({
      kind: 'goodbye',
      by: 'relay',
      code: 'broadcast_ended',
      message: 'so long',
      retryAfterMs: null,
    });
  });

  it('lost, when the connection or the control stream is', async () => {
    for (const end of ['lose', 'endControl'] as const) {
      const relay = new FakeRelay();
      const session = await open(relay);
      relay[end]();
      expect(await session.ended).toMatchObject({ kind: 'lost' });
    }
  });

  it('in an error of the relay’s, said back to it', async () => {
    const relay = new FakeRelay();
    const session = await open(relay);
    relay.sayBytes(Uint8Array.of(0, 0));
    expect(await session.ended).toMatchObject({ by: 'client', code: 'malformed' });
    expect(relay.heard.at(-1)).toMatchObject({ type: 'goodbye', code: 16 });
  });

  it('by closing: goodbye first, silence after', async () => {
    const relay = new FakeRelay();
    const session = await open(relay);
    await session.close('done', 'bye');
    session.send({ type: 'ping', sequence: 9, sentUs: 9 });
    await vi.advanceTimersByTimeAsync(5_000);
    const last: ClientMessage | undefined = relay.heard.at(-1);
    expect(last).toEqual({ type: 'goodbye', code: 0, message: 'bye' });
    expect(relay.closedWith).toEqual({ closeCode: 0, reason: 'bye' });
    expect(await session.ended).toMatchObject({ by: 'client', code: 'done' });
  });

  it('only once', async () => {
    const relay = new FakeRelay(welcoming);
    const session = await open(relay);
    relay.say(goodbye(CODES.shutting_down.number, 100));
    relay.lose();
    const first = await session.ended;
    await session.close('done', '');
    expect(await session.ended).toBe(first);
  });
});
