import { DEFAULT_SERVING, type Serving } from '@steadycast/codec-glue';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FakeConnection, FakeMediaStream, FakeWhepRelay } from './fake.ts';
import { Peer, readStats } from './peer.ts';
import { WhepSession, type WhepStatus } from './session.ts';

let relay = new FakeWhepRelay();
let connection = new FakeConnection();
let abort = new AbortController();

beforeEach(() => {
  vi.useFakeTimers();
  relay = new FakeWhepRelay();
  connection = new FakeConnection();
  abort = new AbortController();
  vi.stubGlobal('MediaStream', FakeMediaStream);
  vi.stubGlobal('fetch', vi.fn(relay.fetch));
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function begin() {
  const statuses: WhepStatus[] = [];
  const servings: Serving[] = [];
  const opening = WhepSession.open({
    origin: 'https://relay.test',
    broadcast: 'b',
    token: 't',
    clock: null,
    signal: abort.signal,
    peer: new Peer(connection as unknown as RTCPeerConnection),
    framesShown: () => null,
    listener: {
      onStatus: (status) => statuses.push(status),
      onContent: () => undefined,
      onServing: (serving) => servings.push(serving),
      onPath: () => undefined,
      onRelays: () => undefined,
      onMove: () => undefined,
      onSound: () => undefined,
      onFigures: () => undefined,
    },
  });
  opening.catch(() => undefined);
  return { opening, statuses, servings };
}

/** Responses take a turn or two of the real event loop. */
async function answered(): Promise<void> {
  for (let turn = 0; turn < 100 && connection.descriptions.length < 2; turn += 1) {
    await vi.advanceTimersByTimeAsync(1);
  }
}

async function open() {
  const begun = begin();
  await answered();
  connection.become('connected');
  const session = await begun.opening;
  const ends: unknown[] = [];
  void session.ended.then((end) => ends.push(end));
  return { ...begun, session, ends };
}

/** Seconds in which the relay is heard, and perhaps frames come. */
async function live(seconds: number, frames = 30): Promise<void> {
  for (let second = 0; second < seconds; second += 1) {
    connection.receive(frames);
    relay.tell('ping', { relayUs: 9 });
    await vi.advanceTimersByTimeAsync(1_000);
  }
}

describe('opening', () => {
  it('offers without candidates, connects, and hears the phase', async () => {
    relay.phase = 'held';
    const { statuses } = await open();
    expect(connection.descriptions).toEqual(['offer', 'answer']);
    expect(statuses).toMatchObject([{ phase: 'held', sinceUs: 5, epoch: 1 }]);
  });

  it('asks for no buffer', async () => {
    await open();
    expect(connection.receiver.jitterBufferTarget).toBe(0);
  });

  it('is unreachable when no connection comes about, and leaves nothing behind', async () => {
    const { opening } = begin();
    await answered();
    connection.become('failed');
    await expect(opening).rejects.toMatchObject({ kind: 'unreachable' });
    expect([connection.closed, relay.left]).toEqual([true, ['/b/whep/1']]);
  });

  it('is unreachable where packets vanish', async () => {
    const { opening } = begin();
    await vi.advanceTimersByTimeAsync(8_100);
    await expect(opening).rejects.toMatchObject({ kind: 'unreachable' });
  });

  it('says why when the broadcast ends meanwhile', async () => {
    const { opening } = begin();
    await answered();
    relay.tell('ended', { code: 'broadcast_ended', message: 'over', retryAfterMs: null });
    await vi.advanceTimersByTimeAsync(10);
    await expect(opening).rejects.toMatchObject({ kind: 'refused', code: 'broadcast_ended' });
  });

  it('goes on without events where something swallows them', async () => {
    const begun = begin();
    vi.spyOn(relay, 'state').mockImplementation(() => undefined);
    await answered();
    connection.become('connected');
    await vi.advanceTimersByTimeAsync(2_000);
    await expect(begun.opening).resolves.toBeInstanceOf(WhepSession);
  });

  it('is given up with the signal', async () => {
    const { opening } = begin();
    await answered();
    abort.abort('enough');
    await expect(opening).rejects.toBe('enough');
    expect([connection.closed, relay.left]).toEqual([true, ['/b/whep/1']]);
  });
});

it('leaves a session that it is answered after it was given up', async () => {
  let answer: () => void = () => undefined;
  const slow = new Promise<void>((resolve) => {
    answer = resolve;
  });
  vi.stubGlobal('fetch', async (url: string | URL, init?: RequestInit) => {
    if (init?.method === 'POST') await slow;
    return relay.fetch(url, init);
  });
  const { opening } = begin();
  await vi.advanceTimersByTimeAsync(10);
  abort.abort('enough');
  await expect(opening).rejects.toBe('enough');
  answer();
  for (let turn = 0; turn < 100 && relay.left.length === 0; turn += 1) {
    await vi.advanceTimersByTimeAsync(1);
  }
  expect(relay.left).toEqual(relay.made);
});

describe('an open session', () => {
  it('lasts while frames come, and while nothing changes', async () => {
    const { ends } = await open();
    await live(30);
    await live(120, 0);
    expect(ends).toEqual([]);
  });

  it('tells phases and codecs', async () => {
    const { statuses, servings } = await open();
    const preparing: Serving = { service: 'preparing', track: 1, codec: 'h264' };
    relay.state('held');
    relay.tell('serving', preparing);
    relay.tell('serving', DEFAULT_SERVING);
    await vi.advanceTimersByTimeAsync(10);
    expect(statuses.map(({ phase }) => phase)).toEqual(['live', 'held']);
    expect(servings).toEqual([DEFAULT_SERVING, preparing, DEFAULT_SERVING]);
  });

  it('is lost at once when its connection fails, and keeps it for its picture', async () => {
    const { ends, session } = await open();
    await live(5);
    connection.become('failed');
    await vi.advanceTimersByTimeAsync(0);
    expect(ends).toEqual([{ kind: 'lost', reason: 'connection failed' }]);
    expect([connection.closed, relay.left]).toEqual([false, []]);
    session.release();
    expect([connection.closed, relay.left]).toEqual([true, ['/b/whep/1']]);
  });

  it('is lost when its picture stands still although frames come', async () => {
    const { ends } = await open();
    await live(3);
    const { framesDecoded } = connection.stats;
    for (let second = 0; second < 5; second += 1) {
      connection.receive();
      connection.stats = { ...connection.stats, framesDecoded: framesDecoded ?? 0 };
      relay.tell('ping', { relayUs: 9 });
      await vi.advanceTimersByTimeAsync(1_000);
    }
    expect(ends).toMatchObject([{ kind: 'lost', reason: 'frames come but are not decoded' }]);
  });

  it('is lost when nothing is heard for three seconds', async () => {
    const { ends } = await open();
    await live(3);
    vi.stubGlobal('fetch', () => new Promise(() => undefined));
    await vi.advanceTimersByTimeAsync(2_000);
    expect(ends).toEqual([]);
    await vi.advanceTimersByTimeAsync(3_000);
    expect(ends).toMatchObject([{ kind: 'lost' }]);
  });

  it('is lost when the relay has forgotten it', async () => {
    const { ends, session } = await open();
    relay.forgotten.add('/b/whep/1');
    relay.cut();
    await vi.advanceTimersByTimeAsync(600);
    expect(ends).toMatchObject([{ kind: 'lost', reason: /does not know/ }]);
    session.release();
    expect(relay.left).toEqual([]);
  });

  it('ends as it is told', async () => {
    const { ends } = await open();
    relay.tell('ended', { code: 'shutting_down', message: 'bye', retryAfterMs: 500 });
    await vi.advanceTimersByTimeAsync(10);
    expect(ends).toEqual([
      { kind: 'goodbye', by: 'relay', code: 'shutting_down', message: 'bye', retryAfterMs: 500 },
    ]);
  });

  it('leaves when it is closed', async () => {
    const { session } = await open();
    await session.close('done', '');
    expect([connection.closed, relay.left]).toEqual([true, ['/b/whep/1']]);
  });
});

it('reads statistics, as far as a browser counts', () => {
  expect(readStats([])).toMatchObject({ bytesReceived: 0, codec: null, rttMs: null });
  expect(
    readStats([
      { type: 'inbound-rtp', id: 'a', kind: 'audio', bytesReceived: 5 },
      { type: 'inbound-rtp', id: 'v', kind: 'video', framesDecoded: 7, codecId: 'c' },
      { type: 'codec', id: 'c', mimeType: 'video/AV1' },
      { type: 'candidate-pair', id: 'p', state: 'in-progress', currentRoundTripTime: 9 },
      {
        type: 'candidate-pair',
        id: 'q',
        state: 'succeeded',
        nominated: true,
        currentRoundTripTime: 0.02,
      },
    ]),
  ).toMatchObject({
    bytesReceived: 0,
    framesReceived: 7,
    framesDecoded: 7,
    codec: 'AV1',
    rttMs: 20,
  });
});
