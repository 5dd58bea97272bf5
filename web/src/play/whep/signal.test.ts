import { afterEach, describe, expect, it, vi } from 'vitest';
import { leave, offer, parseLinks } from './signal.ts';

const REQUEST = { origin: 'https://relay.test', broadcast: 'b 1', token: 't', sdp: 'v=0' };
const SSE = 'urn:ietf:params:whep:ext:core:server-sent-events';

function answer(status: number, body: string, headers: Record<string, string> = {}) {
  const asked = vi.fn(async () => new Response(body, { status, headers }));
  vi.stubGlobal('fetch', asked);
  return asked;
}

const problem = (status: number, code: string, headers: Record<string, string> = {}) =>
  answer(status, JSON.stringify({ title: 'No', status, detail: 'no', code }), headers);

afterEach(() => vi.unstubAllGlobals());

describe('an offer', () => {
  it('brings the answer and where everything is', async () => {
    const asked = answer(201, 'v=0 answer', {
      location: '/b%201/whep/s1',
      link: `</b%201/whep/s1/sse>; rel="${SSE}"; events="active,inactive", <stun:stun.test:3478>; rel="ice-server", <turn:turn.test?transport=udp>; rel="ice-server"; username="u"; credential="p,;"`,
    });
    expect(await offer(REQUEST)).toEqual({
      sdp: 'v=0 answer',
      session: 'https://relay.test/b%201/whep/s1',
      events: 'https://relay.test/b%201/whep/s1/sse',
      iceServers: [
        { urls: 'stun:stun.test:3478' },
        { urls: 'turn:turn.test?transport=udp', username: 'u', credential: 'p,;' },
      ],
    });
    const [url, init] = asked.mock.calls[0] as unknown as [URL, RequestInit];
    expect(url.href).toBe('https://relay.test/b%201/whep');
    expect(init).toMatchObject({
      method: 'POST',
      body: 'v=0',
      headers: { authorization: 'Bearer t', 'content-type': 'application/sdp' },
    });
  });

  it('tells a relay that it was sent to the token, which browsers leave out', async () => {
    const there = 'https://b.test/b%201/whep?sent';
    const replies = [
      Object.defineProperties(new Response('{}', { status: 401 }), {
        redirected: { value: true },
        url: { value: there },
      }),
      Object.defineProperty(
        new Response('v=0', { status: 201, headers: { location: '/b%201/whep/s' } }),
        'url',
        { value: there },
      ),
    ];
    const asked = vi.fn(async () => replies.shift());
    vi.stubGlobal('fetch', asked);
    expect(await offer(REQUEST)).toMatchObject({ session: 'https://b.test/b%201/whep/s' });
    const [url, init] = asked.mock.calls[1] as unknown as [URL, RequestInit];
    expect(url.href).toBe(there);
    expect(init).toMatchObject({ method: 'POST', headers: { authorization: 'Bearer t' } });
  });

  it('needs no event stream', async () => {
    answer(201, 'v=0', { location: 'https://other.test/s' });
    expect(await offer(REQUEST)).toMatchObject({
      session: 'https://other.test/s',
      events: null,
    });
  });

  it.each([
    ['a token that has expired', 401, 'token_expired', { kind: 'refused', retryAfterMs: null }],
    ['a broadcast that is over', 404, 'unknown_broadcast', { kind: 'refused' }],
    ['a full relay', 429, 'too_many', { kind: 'refused', retryAfterMs: 2_000 }],
    ['no codec in common', 422, 'malformed', { kind: 'unsupported' }],
    ['a relay without WebRTC', 404, 'unknown_message', { kind: 'unsupported' }],
    ['an older relay', 405, 'unknown_message', { kind: 'unsupported' }],
  ])('meets %s', async (_, status, code, expected) => {
    problem(status, code);
    await expect(offer(REQUEST)).rejects.toMatchObject(expected);
  });

  it('is told when to come back', async () => {
    problem(503, 'shutting_down', { 'retry-after': '3' });
    await expect(offer(REQUEST)).rejects.toMatchObject({
      kind: 'refused',
      code: 'shutting_down',
      retryAfterMs: 3_000,
    });
  });

  it('is unreachable where something else answers, or nothing', async () => {
    answer(502, '<html>');
    await expect(offer(REQUEST)).rejects.toMatchObject({ kind: 'unreachable' });
    answer(201, 'v=0');
    await expect(offer(REQUEST)).rejects.toMatchObject({ kind: 'unreachable' });
    vi.stubGlobal('fetch', async () => Promise.reject(new TypeError('Failed to fetch')));
    await expect(offer(REQUEST)).rejects.toMatchObject({ kind: 'unreachable' });
  });
});

it('leaves with a request that outlives the page', () => {
  const asked = answer(200, '');
  leave('https://relay.test/b/whep/s1', 't');
  expect(asked.mock.calls[0]).toMatchObject([
    'https://relay.test/b/whep/s1',
    { method: 'DELETE', keepalive: true, headers: { authorization: 'Bearer t' } },
  ]);
});

it('reads no links where there are none', () => {
  expect(parseLinks('', 'https://relay.test')).toEqual([]);
  expect(parseLinks('nonsense; rel="x"', 'https://relay.test')).toEqual([]);
  expect(parseLinks('<https://[>; rel="x"', 'https://relay.test')).toEqual([]);
});
