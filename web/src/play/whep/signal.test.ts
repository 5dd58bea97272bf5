import { afterEach, describe, expect, it, vi } from 'vitest';
import { askForKeyframe, leave, offer, parseLinks, wantingFrames } from './signal.ts';

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

describe('frames that a page opens itself', () => {
  const SDP = 'v=0\r\na=group:BUNDLE 0\r\nm=video 9\r\na=mid:0\r\nm=audio 9\r\n';
  const carries = ['av1', 'vp8'] as const;

  it('are wanted by a line among those of the session, with what the page decodes', () => {
    const line = 'a=steadycast-frames:6 av1 vp8\r\n';
    expect(wantingFrames(SDP, carries)).toBe(SDP.replace('m=video', `${line}m=video`));
  });

  it('are told of in the answer, or the session is left', async () => {
    const asked = answer(201, 'v=0\r\na=steadycast-frames:6\r\n', { location: '/s' });
    await expect(offer({ ...REQUEST, sdp: SDP, carries })).resolves.toMatchObject({
      session: 'https://relay.test/s',
    });
    expect(asked.mock.calls[0]).toMatchObject([{}, { body: wantingFrames(SDP, carries) }]);
    const without = answer(201, 'v=0\r\n', { location: '/s' });
    await expect(offer({ ...REQUEST, sdp: SDP, carries })).rejects.toMatchObject({
      kind: 'unsupported',
    });
    expect(without.mock.calls.at(-1)).toMatchObject(['https://relay.test/s', { method: 'DELETE' }]);
  });

  it('have keyframes that the page asks for, whatever comes of it', async () => {
    const asked = answer(202, '');
    await askForKeyframe('https://relay.test/s');
    expect(asked.mock.calls[0]).toMatchObject([
      { href: 'https://relay.test/s/keyframe' },
      { method: 'POST' },
    ]);
    vi.stubGlobal('fetch', async () => Promise.reject(new TypeError('no network')));
    await expect(askForKeyframe('https://relay.test/s')).resolves.toBeUndefined();
  });
});
