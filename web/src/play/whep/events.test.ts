import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { EventStream, readEvent, type WhepEvent } from './events.ts';
import type { Slot } from './slots.ts';

const read = (name: string, data: unknown) => readEvent({ name, data: JSON.stringify(data) });

describe('events', () => {
  it('are read when they are what they should be', () => {
    const state = { phase: 'held', sinceUs: 5, epoch: 2, players: 9, relayUs: 7 };
    expect(read('state', state)).toEqual({
      type: 'state',
      phase: 'held',
      sinceUs: 5,
      epoch: 2,
      relayUs: 7,
    });
    expect(read('ping', { relayUs: 7 })).toEqual({ type: 'ping', relayUs: 7, framesSent: null });
    expect(read('ping', { relayUs: 7, framesSent: 3 })).toMatchObject({ framesSent: 3 });
    const moves = { stillSinceUs: null };
    expect(read('content', moves)).toEqual({ type: 'content', ...moves });
    expect(read('content', { stillSinceUs: 7 })).toMatchObject({ stillSinceUs: 7 });
    expect(read('content', { stillSinceUs: 'now' })).toBeNull();
    const serving = { service: 'preparing', track: 1, codec: 'h264' };
    expect(read('serving', serving)).toEqual({ type: 'serving', serving });
    expect(read('serving', { ...serving, codec: 'h265' })).toBeNull();
    const path = { narrow: true, carriesKbps: 380 };
    expect(read('path', { ...path, since: 'later versions' })).toEqual({ type: 'path', ...path });
    expect(read('path', { narrow: false })).toEqual({
      type: 'path',
      narrow: false,
      carriesKbps: null,
    });
    expect(read('path', { narrow: 'a little' })).toBeNull();
  });

  it('tell an end from one to come back after', () => {
    expect(read('ended', { code: 'broadcast_ended', message: 'over' })).toEqual({
      type: 'ended',
      code: 'broadcast_ended',
      message: 'over',
      retryAfterMs: null,
    });
    const restart = { code: 'shutting_down', message: '', retryAfterMs: 500 };
    expect(read('ended', restart)).toMatchObject({ code: 'shutting_down', retryAfterMs: 500 });
    expect(read('ended', { code: 'toString', message: '' })).toMatchObject({ code: null });
  });

  it('are ignored otherwise', () => {
    const odd = [
      read('state', { phase: 'gone', sinceUs: 5, epoch: 2, relayUs: 7 }),
      read('state', null),
      read('ping', { relayUs: 'now' }),
      read('ended', {}),
      read('active', {}),
      read('viewercount', { viewercount: 3 }),
      readEvent({ name: 'state', data: '{' }),
    ];
    expect(odd).toEqual(odd.map(() => null));
  });
});

/** The relay's end of one request. */
class FakeStream {
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  readonly body = new ReadableStream<Uint8Array>({
    start: (controller) => {
      this.#controller = controller;
    },
  });

  constructor(signal: AbortSignal) {
    signal.addEventListener('abort', () => {
      try {
        this.#controller?.error(signal.reason);
      } catch {
        // Over already.
      }
    });
  }
  say(name: string, data: unknown): void {
    const text = `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
    this.#controller?.enqueue(new TextEncoder().encode(text));
  }
  end(): void {
    this.#controller?.close();
  }
}

describe('the stream', () => {
  let streams: FakeStream[] = [];
  let answers: (number | Error)[] = [];
  /** Paths and queries of all requests. */
  let asked: string[] = [];
  /** What a look finds; null: it is answered as a stream is. */
  let whole: [name: string, data: unknown][] | null = null;
  let abort = new AbortController();

  beforeEach(() => {
    vi.useFakeTimers();
    streams = [];
    answers = [];
    asked = [];
    whole = null;
    abort = new AbortController();
    vi.stubGlobal('fetch', async (url: string, { signal }: { signal: AbortSignal }) => {
      asked.push(url.replace('https://relay.test', ''));
      const answer = answers.shift() ?? 200;
      if (answer instanceof Error) throw answer;
      if (answer !== 200) return new Response('', { status: answer });
      const stream = new FakeStream(signal);
      if (whole !== null && url.endsWith('?once')) {
        for (const [name, data] of whole) stream.say(name, data);
        stream.end();
        return new Response(stream.body);
      }
      streams.push(stream);
      return new Response(stream.body);
    });
  });
  afterEach(() => {
    abort.abort();
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  function open(slots?: () => Promise<Slot | null>) {
    const heard: WhepEvent[] = [];
    const onGone = vi.fn();
    const stream = new EventStream({
      url: 'https://relay.test/b/whep/s/sse',
      signal: abort.signal,
      onEvent: (event) => heard.push(event),
      onGone,
      ...(slots !== undefined && { slots }),
    });
    const over = stream.run();
    return { stream, heard, onGone, over };
  }

  it('brings events, and is silent between them', async () => {
    const { stream, heard } = open();
    await vi.advanceTimersByTimeAsync(700);
    expect(stream.silentMs).toBe(700);
    streams[0]?.say('ping', { relayUs: 1 });
    await vi.advanceTimersByTimeAsync(200);
    expect(heard.map(({ type }) => type)).toEqual(['serving', 'ping']);
    expect(stream.silentMs).toBe(200);
  });

  it('is opened again when it breaks off, and says that it is cut until then', async () => {
    const { stream, heard } = open();
    await vi.advanceTimersByTimeAsync(10);
    answers = [new TypeError('refused'), new TypeError('refused')];
    streams[0]?.end();
    await vi.advanceTimersByTimeAsync(400);
    expect(stream.cut).toBe(true);
    await vi.advanceTimersByTimeAsync(4_000);
    expect(streams).toHaveLength(2);
    streams[1]?.say('ping', { relayUs: 1 });
    await vi.advanceTimersByTimeAsync(1);
    expect(stream.cut).toBe(false);
    expect(heard.map(({ type }) => type)).toEqual(['serving', 'serving', 'ping']);
  });

  it('is opened again after 3 s of silence', async () => {
    open();
    await vi.advanceTimersByTimeAsync(10);
    streams[0]?.say('ping', { relayUs: 1 });
    await vi.advanceTimersByTimeAsync(4_500);
    expect(asked).toEqual(['/b/whep/s/sse', '/b/whep/s/sse']);
  });

  it('that is held back is no silence of the relay: what stands is looked at', async () => {
    whole = [['ping', { relayUs: 2, framesSent: 4 }]];
    const { stream, heard } = open();
    let longestMs = 0;
    for (let tenth = 0; tenth < 200; tenth += 1) {
      await vi.advanceTimersByTimeAsync(100);
      longestMs = Math.max(longestMs, stream.silentMs);
      expect(stream.cut).toBe(false);
    }
    expect(longestMs).toBeLessThan(2_500);
    expect(asked.filter((url) => !url.endsWith('?once'))).toHaveLength(1);
    expect(heard.at(-1)).toEqual({ type: 'ping', relayUs: 2, framesSent: 4 });
  });

  it('that brings nothing from a relay that answers no look is cut, and tried again', async () => {
    const { stream } = open();
    answers = [200, new TypeError('refused'), 200];
    await vi.advanceTimersByTimeAsync(2_100);
    expect(stream.cut).toBe(true);
    expect(asked.slice(0, 2).map((url) => url.includes('once'))).toEqual([false, true]);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(asked[2]).toBe('/b/whep/s/sse');
  });

  it('is not to be had where other tabs have them all: what stands is looked at', async () => {
    const preparing = { service: 'preparing', track: 1, codec: 'h264' };
    const ping: [string, unknown] = ['ping', { relayUs: 2 }];
    const stereo = { sound: { codec: 'opus', channels: 2 } };
    whole = [['serving', preparing], ['path', { narrow: true }], ['sound', stereo], ping];
    const { heard, stream } = open(async () => null);
    await vi.advanceTimersByTimeAsync(500);
    expect(heard).toEqual([
      { type: 'serving', serving: preparing },
      { type: 'path', narrow: true, carriesKbps: null },
      { type: 'sound', there: true, format: { codec: 'opus', channels: 2 } },
      { type: 'ping', relayUs: 2, framesSent: null },
    ]);
    // What is not said stands as it did at the beginning.
    whole = [ping];
    heard.length = 0;
    await vi.advanceTimersByTimeAsync(1_000);
    expect(heard.map(({ type }) => type)).toEqual(['serving', 'path', 'sound', 'ping']);
    expect(heard[1]).toMatchObject({ narrow: false });
    expect(heard[2]).toMatchObject({ there: false });
    await vi.advanceTimersByTimeAsync(10_000);
    expect([asked.length, stream.cut]).toEqual([12, false]);
  });

  it('is told that the session is gone by a look as well', async () => {
    answers = [404];
    const { onGone, over } = open(async () => null);
    await vi.advanceTimersByTimeAsync(10);
    await over;
    expect(onGone).toHaveBeenCalledOnce();
  });

  it('ends when the relay knows the session no more', async () => {
    const { onGone, over } = open();
    await vi.advanceTimersByTimeAsync(10);
    answers = [404];
    streams[0]?.end();
    await vi.advanceTimersByTimeAsync(1_000);
    await over;
    expect(onGone).toHaveBeenCalledOnce();
  });

  it('ends with its owner', async () => {
    const { onGone, over } = open();
    await vi.advanceTimersByTimeAsync(10);
    abort.abort();
    await over;
    expect(onGone).not.toHaveBeenCalled();
  });
});
