import { afterEach, expect, it, vi } from 'vitest';
import { fetchEndpoint, probe } from './endpoint.ts';

const open = () => new AbortController().signal;
const ORIGIN = 'https://relay.test:4443';

function answer(body: unknown, status = 200): void {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  vi.stubGlobal('fetch', async () => new Response(text, { status }));
}

afterEach(() => vi.unstubAllGlobals());

it('finds the session’s URL and the certificates', async () => {
  answer({ version: '1.0.0', protocol: 1, session: '/session', certificateHashes: ['AQID'] });
  expect(await fetchEndpoint(ORIGIN, open())).toEqual({
    sessionUrl: 'https://relay.test:4443/session',
    certificateHashes: [Uint8Array.of(1, 2, 3)],
    clock: null,
    versions: { min: 1, max: 1 },
  });
});

it.each([
  [
    { protocol: 2, protocols: { min: 1, max: 2 } },
    { min: 1, max: 2 },
  ],
  [
    { protocol: 9, protocols: { min: 8, max: 9, besides: true } },
    { min: 8, max: 9 },
  ],
  [
    { protocol: 3, protocols: 'many' },
    { min: 3, max: 3 },
  ],
  [{}, { min: 1, max: 1 }],
])('finds which versions it speaks in %j', async (said, versions) => {
  answer({ session: '/session', ...said });
  expect((await fetchEndpoint(ORIGIN, open())).versions).toEqual(versions);
});

it('takes the relay’s time along', async () => {
  answer({ session: '/session', relayUs: 77, startedUs: 70 });
  const { clock, startedUs } = await fetchEndpoint(ORIGIN, open());
  expect(startedUs).toBe(70);
  expect(clock?.relayUs).toBe(77);
  expect(clock?.receivedUs).toBeGreaterThanOrEqual(clock?.sentUs ?? Number.POSITIVE_INFINITY);
});

it('takes along where others are, but for what is no address of a relay', async () => {
  const url = 'https://b.test/cast';
  answer({
    session: '/session',
    relays: [{ url, near: true }, { url: 'b' }, 'https://c.test', null],
  });
  expect((await fetchEndpoint(ORIGIN, open())).relays).toEqual([url]);
});

it('says for which broadcast the others are to be', async () => {
  const asked: string[] = [];
  vi.stubGlobal('fetch', async (url: URL) => {
    asked.push(url.href);
    return Response.json({ session: '/session' });
  });
  await fetchEndpoint(ORIGIN, open(), 'main');
  expect(asked).toEqual([`${ORIGIN}/api/relay?broadcast=main`]);
});

it('needs no hashes of a trusted certificate', async () => {
  answer({ session: '/session' });
  expect((await fetchEndpoint(ORIGIN, open())).certificateHashes).toEqual([]);
});

it.each([
  ['an error', {}, 500],
  ['no JSON', '<html>', 200],
  ['no session', { certificateHashes: [] }, 200],
  ['hashes that are none', { session: '/session', certificateHashes: ['%%'] }, 200],
])('is unreachable at %s', async (_, body, status) => {
  answer(body, status);
  await expect(fetchEndpoint(ORIGIN, open())).rejects.toMatchObject({ kind: 'unreachable' });
});

it('probes for health', async () => {
  answer({ status: 'ok' });
  expect(await probe(ORIGIN, open())).toBe('ok');
  answer({ status: 'draining' }, 503);
  expect(await probe(ORIGIN, open())).toBe('draining');
  answer('', 404);
  expect(await probe(ORIGIN, open())).toBe('unreachable');
  vi.stubGlobal('fetch', async () => Promise.reject(new TypeError('Failed to fetch')));
  expect(await probe(ORIGIN, open())).toBe('unreachable');
});

it('stops with the signal', async () => {
  const abort = new AbortController();
  abort.abort('enough');
  await expect(probe(ORIGIN, abort.signal)).rejects.toBe('enough');
});
