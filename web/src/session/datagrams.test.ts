import { describe, expect, it, vi } from 'vitest';
import { DatagramSender } from './datagrams.ts';
import { FakeRelay } from './fake.ts';
import { RelaySession } from './session.ts';

const named = (name: number) => Uint8Array.of(name);
const names = (datagrams: readonly Uint8Array[]) => datagrams.map(([name]) => name);

function open(relay: FakeRelay): Promise<RelaySession> {
  return RelaySession.open({
    origin: 'https://relay.test',
    role: 'player',
    token: 't',
    agent: 'test',
    resume: null,
    signal: new AbortController().signal,
    endpoint: {
      sessionUrl: 'https://relay.test/session',
      certificateHashes: [],
      clock: null,
      versions: { min: 1, max: 2 },
    },
    connect: async () => relay.transport,
  });
}

describe('datagrams of a session', () => {
  it('go both ways', async () => {
    const relay = new FakeRelay();
    const session = await open(relay);
    const heard: Uint8Array[] = [];
    session.onDatagram((bytes) => heard.push(bytes));
    relay.sayDatagram(named(1));
    relay.sayDatagram(named(2));
    expect(session.sendDatagram(named(3))).toBe(true);
    await vi.waitFor(() => expect(names(heard)).toEqual([1, 2]));
    expect(names(relay.datagrams)).toEqual([3]);
    expect(session.datagramsLeft).toBe(0);
  });

  it('are for one listener, and another may take its place', async () => {
    const relay = new FakeRelay();
    const session = await open(relay);
    const first = vi.fn();
    session.onDatagram(first);
    session.onDatagram(null);
    relay.sayDatagram(named(1));
    // What comes while nobody listens is read all the same, and dropped.
    await new Promise((resolve) => setTimeout(resolve));
    const heard: Uint8Array[] = [];
    session.onDatagram((bytes) => heard.push(bytes));
    relay.sayDatagram(named(2));
    await vi.waitFor(() => expect(names(heard)).toEqual([2]));
    expect(first).not.toHaveBeenCalled();
  });

  it('never wait: where there is no room the oldest make way, and are counted', async () => {
    const relay = new FakeRelay();
    const session = await open(relay);
    relay.takesDatagrams = false;
    const taken = Array.from({ length: 1_000 }, (_, name) => session.sendDatagram(named(name)));
    expect(taken.slice(0, 16)).toEqual(Array(16).fill(true));
    expect(taken.slice(16)).toEqual(Array(984).fill(false));
    expect(session.datagramsLeft).toBe(984);
    relay.takeDatagrams();
    // Those that the browser had already, and then the newest.
    const last = Array.from({ length: 12 }, (_, place) => (988 + place) % 256);
    await vi.waitFor(() => expect(names(relay.datagrams)).toEqual([0, 1, 2, 3, ...last]));
  });

  it('end with the session', async () => {
    const relay = new FakeRelay();
    const session = await open(relay);
    const listener = vi.fn();
    session.onDatagram(listener);
    await session.close('done', 'bye');
    relay.sayDatagram(named(1));
    expect(session.sendDatagram(named(2))).toBe(false);
    await new Promise((resolve) => setTimeout(resolve));
    expect(listener).not.toHaveBeenCalled();
    expect(relay.datagrams).toEqual([]);
  });

  it('go nowhere where a carrier has none', () => {
    expect(new DatagramSender(undefined).send(named(1))).toBe(false);
  });

  it('take the stream that newer browsers make for it', async () => {
    const sent: Uint8Array[] = [];
    const sender = new DatagramSender({
      readable: new ReadableStream(),
      createWritable: () => new WritableStream({ write: (bytes) => void sent.push(bytes) }),
      outgoingMaxAge: null,
      incomingHighWaterMark: 1,
    });
    sender.send(named(1));
    await vi.waitFor(() => expect(names(sent)).toEqual([1]));
  });
});
