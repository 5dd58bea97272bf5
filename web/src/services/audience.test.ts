import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { ApiError } from './api.ts';
import { Audience, LATENCIES_MS } from './audience.ts';
import { isViewers, type ViewersFacts } from './viewers.ts';

const page = { visibilityState: 'visible' };
const FACTS: ViewersFacts = {
  count: 1,
  byTransport: { webtransport: 1, webrtc: 0, websocket: 0 },
  byState: { live: 1, behind: 0, light: 0, waiting: 0, away: 0 },
  latency: { p50Ms: 40, p95Ms: 90, viewers: 1 },
  troubled: [],
};

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal('document', page);
  page.visibilityState = 'visible';
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

it('asks once a second while somebody looks, and not at all otherwise', async () => {
  const ask = vi.fn(async () => FACTS);
  const audience = new Audience(ask);
  await vi.advanceTimersByTimeAsync(5_000);
  expect(ask).toHaveBeenCalledTimes(0);
  const leave = audience.subscribe(() => undefined);
  const alsoLeave = audience.subscribe(() => undefined);
  await vi.advanceTimersByTimeAsync(3_000);
  expect(ask).toHaveBeenCalledTimes(4);
  expect(audience.snapshot().facts).toEqual(FACTS);
  page.visibilityState = 'hidden';
  await vi.advanceTimersByTimeAsync(3_000);
  expect(ask).toHaveBeenCalledTimes(4);
  page.visibilityState = 'visible';
  leave();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(ask).toHaveBeenCalledTimes(5);
  alsoLeave();
  await vi.advanceTimersByTimeAsync(3_000);
  expect(ask).toHaveBeenCalledTimes(5);
});

it('asks a slow relay once at a time', async () => {
  const ask = vi.fn(() => new Promise<ViewersFacts>(() => undefined));
  new Audience(ask).subscribe(() => undefined);
  await vi.advanceTimersByTimeAsync(5_000);
  expect(ask).toHaveBeenCalledTimes(1);
});

it('keeps five minutes of latencies, without those that are not known', async () => {
  let latency: ViewersFacts['latency'] = { p50Ms: 40, p95Ms: 90, viewers: 1 };
  const audience = new Audience(async () => ({ ...FACTS, latency }));
  audience.subscribe(() => undefined);
  await vi.advanceTimersByTimeAsync(2 * LATENCIES_MS);
  expect(audience.snapshot().latencies).toHaveLength(LATENCIES_MS / 1_000);
  latency = undefined;
  await vi.advanceTimersByTimeAsync(LATENCIES_MS / 2);
  expect(audience.snapshot().latencies).toHaveLength(LATENCIES_MS / 2_000);
});

it('says at once that a relay does not know of it, and later that one is silent', async () => {
  const unknown = new Audience(() => Promise.reject(new ApiError('refused', 'no such thing')));
  unknown.subscribe(() => undefined);
  await vi.advanceTimersByTimeAsync(0);
  expect(unknown.snapshot()).toMatchObject({ facts: null, failed: true });
  let silent = false;
  const ask = async () => {
    if (silent) throw new ApiError('offline', 'The relay does not answer.');
    return FACTS;
  };
  const audience = new Audience(ask);
  audience.subscribe(() => undefined);
  await vi.advanceTimersByTimeAsync(1_000);
  silent = true;
  await vi.advanceTimersByTimeAsync(3_000);
  expect(audience.snapshot()).toMatchObject({ facts: FACTS, failed: false });
  await vi.advanceTimersByTimeAsync(3_000);
  expect(audience.snapshot()).toMatchObject({ facts: null, failed: true });
  silent = false;
  await vi.advanceTimersByTimeAsync(1_000);
  expect(audience.snapshot()).toMatchObject({ facts: FACTS, failed: false });
});

it('takes what the relay says, and nothing that it would not', () => {
  const viewer = {
    session: 7,
    name: 'Ada',
    transport: 'webrtc',
    state: 'behind',
    stateSinceUs: 1,
    skips: true,
    undecoded: false,
    rttMs: 12,
    more: 'of a later version',
  };
  const { latency: _, ...untold } = FACTS;
  expect(isViewers({ ...untold, troubled: [viewer] })).toBe(true);
  const wrong: unknown[] = [
    null,
    { ...FACTS, count: 'many' },
    { ...FACTS, byState: { live: 1 } },
    { ...FACTS, latency: { p50Ms: 1 } },
    { ...FACTS, troubled: [{ ...viewer, state: 'happy' }] },
    { ...FACTS, troubled: [{ ...viewer, name: 5 }] },
  ];
  for (const value of wrong) expect(isViewers(value)).toBe(false);
});
