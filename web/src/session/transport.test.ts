import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { connectWebTransport, webTransportWorks } from './transport.ts';

const MAC = 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit';
const CHROME = `${MAC}/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36`;
const SAFARI = `${MAC}/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15`;
const CHROME_IOS = `${MAC}/605.1.15 (KHTML, like Gecko) CriOS/156.0 Mobile/15E148 Safari/604.1`;
const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0';

const endpoint = {
  sessionUrl: 'https://relay.test/session',
  certificateHashes: [Uint8Array.of(1, 2)],
  versions: { min: 1, max: 2 },
  clock: null,
};
const { signal } = new AbortController();

/** Stands in for the browser's WebTransport. */
function stub(ready: Promise<void>) {
  const made = { url: '', options: {} as WebTransportOptions, closes: 0 };
  class FakeWebTransport {
    ready = ready;
    closed = new Promise(() => undefined);
    constructor(url: string, options: WebTransportOptions) {
      Object.assign(made, { url, options });
    }
    close(): void {
      made.closes += 1;
    }
  }
  vi.stubGlobal('WebTransport', FakeWebTransport);
  vi.stubGlobal('navigator', { userAgent: CHROME });
  return made;
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe('WebTransport', () => {
  it('works in Chromium and Firefox, and in no WebKit', () => {
    stub(Promise.resolve());
    expect([CHROME, FIREFOX, SAFARI, CHROME_IOS].map((agent) => webTransportWorks(agent))).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });

  it('does not work where it is missing', async () => {
    expect(webTransportWorks(CHROME)).toBe(false);
    vi.stubGlobal('navigator', { userAgent: CHROME });
    await expect(connectWebTransport(endpoint, signal)).rejects.toMatchObject({
      kind: 'unsupported',
    });
  });

  it('accepts the relay’s certificates', async () => {
    const made = stub(Promise.resolve());
    await connectWebTransport(endpoint, signal);
    expect(made.url).toBe('https://relay.test/session');
    expect(made.options.serverCertificateHashes).toEqual([
      { algorithm: 'sha-256', value: Uint8Array.of(1, 2) },
    ]);
  });

  it('is unreachable after a failed handshake, or none', async () => {
    stub(Promise.reject(new Error('Opening handshake failed.')));
    await expect(connectWebTransport(endpoint, signal)).rejects.toMatchObject({
      kind: 'unreachable',
    });
    const made = stub(new Promise(() => undefined));
    const attempt = connectWebTransport(endpoint, signal).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(8_000);
    expect(await attempt).toMatchObject({ kind: 'unreachable' });
    expect(made.closes).toBe(1);
  });

  it('is given up with the signal', async () => {
    const made = stub(new Promise(() => undefined));
    const abort = new AbortController();
    const attempt = connectWebTransport(endpoint, abort.signal).catch((error: unknown) => error);
    abort.abort('enough');
    expect(await attempt).toBe('enough');
    expect(made.closes).toBe(1);
  });
});
