import { afterEach, describe, expect, it, vi } from 'vitest';
import './with-resolvers.ts';
import Session, { StreamError } from '@moq/qmux';
import { DatagramSender } from '../datagrams.ts';
import { connectWebSocket, webSocketUrl } from './connect.ts';
import { FakeSocket } from './fake-socket.ts';
import { openWebSocket, SUBPROTOCOL } from './qmux.ts';

/** A page's end, and a relay's. */
async function setUp(protocol = SUBPROTOCOL) {
  const [near, far] = FakeSocket.pair();
  const transport = openWebSocket(webSocketUrl('https://relay.test'), () => near);
  const relay = Session.accept(far as never);
  far.open(protocol);
  near.open(protocol);
  await transport.ready.catch(() => undefined);
  return { near, far, transport, relay };
}

const bytes = (length: number, fill = 7) => new Uint8Array(length).fill(fill);

async function readAll(stream: ReadableStream<Uint8Array>): Promise<number> {
  let length = 0;
  for await (const chunk of stream as unknown as AsyncIterable<Uint8Array>) length += chunk.length;
  return length;
}

afterEach(() => vi.unstubAllGlobals());

describe('streams over a WebSocket', () => {
  it('carry both ways, as those of WebTransport', async () => {
    const { transport, relay } = await setUp();
    const control = await transport.createBidirectionalStream();
    const writer = control.writable.getWriter();
    await writer.write(bytes(3));
    const { value } = await relay.incomingBidirectionalStreams.getReader().read();
    expect((await value?.readable.getReader().read())?.value).toEqual(bytes(3));
    await value?.writable.getWriter().write(bytes(2));
    expect((await control.readable.getReader().read()).value).toEqual(bytes(2));
    const group = await relay.createUnidirectionalStream();
    const sent = group.getWriter();
    void sent.write(bytes(5)).then(() => sent.close());
    const { value: stream } = await transport.incomingUnidirectionalStreams.getReader().read();
    expect(stream && (await readAll(stream))).toBe(5);
  });

  it('take a keyframe of the largest size at once, before the page has read anything', async () => {
    const { transport, relay } = await setUp();
    const group = await relay.createUnidirectionalStream();
    await group.getWriter().write(bytes(4_194_304));
    const { value } = await transport.incomingUnidirectionalStreams.getReader().read();
    expect((await value?.getReader().read())?.value?.length).toBeGreaterThan(0);
  });

  it('say with which code they were reset', async () => {
    const { transport, relay } = await setUp();
    const group = (await relay.createUnidirectionalStream()).getWriter();
    await group.write(bytes(1));
    const { value } = await transport.incomingUnidirectionalStreams.getReader().read();
    const reader = value?.getReader();
    await reader?.read();
    await group.abort(new StreamError(26));
    await expect(reader?.read()).rejects.toMatchObject({ streamErrorCode: 26 });
  });

  it('hold a publisher up where its network does, and go on by themselves', async () => {
    const { near, transport, relay } = await setUp();
    const writer = (await transport.createUnidirectionalStream()).getWriter();
    near.flows = false;
    let written = 0;
    const pump = (async () => {
      for (; written < 40; written += 1) await writer.write(bytes(16_000));
    })();
    await vi.waitFor(() => expect(near.bufferedAmount).toBeGreaterThan(32_768));
    expect(near.bufferedAmount).toBeLessThan(64_000);
    near.flow();
    const { value } = await relay.incomingUnidirectionalStreams.getReader().read();
    const read = value && readAll(value);
    await pump;
    await writer.close();
    expect(await read).toBe(40 * 16_000);
  });
});

describe('datagrams over a WebSocket', () => {
  it('go both ways', async () => {
    const { transport, relay } = await setUp();
    // With its answer the relay says that it takes them.
    await transport.createBidirectionalStream();
    const sender = new DatagramSender(transport.datagrams);
    expect(sender.send(bytes(9))).toBe(true);
    expect((await relay.datagrams.readable.getReader().read()).value).toEqual(bytes(9));
    await relay.datagrams.writable.getWriter().write(bytes(4));
    expect((await transport.datagrams?.readable.getReader().read())?.value).toEqual(bytes(4));
  });

  it('wait for no picture longer than for what the browser has, and the oldest are counted', async () => {
    const { near, transport, relay } = await setUp();
    const writer = (await transport.createUnidirectionalStream()).getWriter();
    near.flows = false;
    void writer.write(bytes(1_000_000)).catch(() => undefined);
    await vi.waitFor(() => expect(near.bufferedAmount).toBeGreaterThan(32_768));
    const sender = new DatagramSender(transport.datagrams);
    for (let name = 0; name < 40; name += 1) sender.send(bytes(20, name));
    expect(sender.dropped).toBe(40 - 16);
    const sentBefore = near.sent.length;
    near.flow();
    const reader = relay.datagrams.readable.getReader();
    const names = [];
    for (let taken = 0; taken < 16; taken += 1) names.push((await reader.read()).value?.[0]);
    expect(names).toEqual([0, 1, 2, 3, ...Array.from({ length: 12 }, (_, place) => 28 + place)]);
    // The first of them before any more of the picture.
    expect(near.sent[sentBefore]).toBeLessThan(100);
  });
});

describe('the end of a session over a WebSocket', () => {
  it('has the code and the reason, whoever ends it', async () => {
    const mine = await setUp();
    mine.transport.close({ closeCode: 4, reason: 'bye' });
    expect(await mine.relay.closed).toEqual({ closeCode: 4, reason: 'bye' });
    const theirs = await setUp();
    theirs.relay.close({ closeCode: 9, reason: 'over' });
    expect(await theirs.transport.closed).toEqual({ closeCode: 9, reason: 'over' });
  });

  it('is a loss when the socket goes by itself, and ends what waits for room', async () => {
    const { near, transport } = await setUp();
    const writer = (await transport.createUnidirectionalStream()).getWriter();
    near.flows = false;
    const written = writer.write(bytes(1_000_000));
    written.catch(() => undefined);
    await vi.waitFor(() => expect(near.bufferedAmount).toBeGreaterThan(32_768));
    near.close(1_006);
    await expect(transport.closed).rejects.toThrow();
    await expect(written).rejects.toThrow();
  });

  it('comes at once with a peer that speaks something else', async () => {
    const { transport } = await setUp('qmux-00');
    await expect(transport.ready).rejects.toThrow();
  });
});

describe('the way to a relay', () => {
  const endpoint = {
    sessionUrl: 'https://relay.test:4433/session',
    certificateHashes: [],
    versions: { min: 1, max: 2 },
    clock: null,
  };

  it('is the port of its pages, under the path that a proxy has it at', () => {
    expect(webSocketUrl('https://relay.test').href).toBe('wss://relay.test/session');
    expect(webSocketUrl('http://127.0.0.1:4433').href).toBe('ws://127.0.0.1:4433/session');
    expect(webSocketUrl('https://host.test/cast').href).toBe('wss://host.test/cast/session');
  });

  it('is unreachable where the socket is closed, and given up with the signal', async () => {
    const made: FakeSocket[] = [];
    vi.stubGlobal(
      'WebSocket',
      class extends FakeSocket {
        constructor() {
          super();
          made.push(this);
        }
      },
    );
    const connect = connectWebSocket('https://relay.test');
    const refused = connect(endpoint, new AbortController().signal);
    await vi.waitFor(() => expect(made).toHaveLength(1));
    made[0]?.close(1_006);
    await expect(refused).rejects.toMatchObject({ name: 'SessionError', kind: 'unreachable' });
    const abort = new AbortController();
    const given = connect(endpoint, abort.signal);
    given.catch(() => undefined);
    await vi.waitFor(() => expect(made).toHaveLength(2));
    abort.abort(new Error('enough'));
    await expect(given).rejects.toThrow('enough');
    await vi.waitFor(() => expect(made[1]?.readyState).toBe(3));
  });
});
