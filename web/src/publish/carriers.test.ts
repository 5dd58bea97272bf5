import { expect, it, vi } from 'vitest';
import { FakeRelay } from '../session/fake.ts';
import type { CarrierName, Connect, RelayEndpoint } from '../session/index.ts';
import { Carriers } from './carriers.ts';

const ENDPOINT: RelayEndpoint = {
  sessionUrl: 'https://relay.test/session',
  certificateHashes: [],
  versions: { min: 1, max: 6 },
  clock: null,
};
const { signal } = new AbortController();

/** A browser in which some carriers open at once, and the others fail. */
function setUp(
  open: readonly CarrierName[],
  possible: readonly CarrierName[] = ['webtransport', 'websocket'],
) {
  const kept: { carrier: CarrierName | null } = { carrier: null };
  const tried: CarrierName[] = [];
  const connectBy = (carrier: CarrierName): Connect => {
    return async () => {
      tried.push(carrier);
      if (!open.includes(carrier)) throw new Error(`no ${carrier}`);
      return { ...new FakeRelay().transport, carrier };
    };
  };
  const memory = {
    load: async () => kept.carrier,
    save: async (carrier: CarrierName) => {
      kept.carrier = carrier;
    },
  };
  const fetchEndpoint = vi.fn(async () => ENDPOINT);
  let network: () => void = () => undefined;
  const onNetwork = (listener: () => void) => {
    network = listener;
    return () => undefined;
  };
  const deps = { connectBy, fetchEndpoint, possible: () => possible, onNetwork };
  const carriers = new Carriers('https://relay.test', memory, deps);
  return { carriers, kept, tried, network: () => network() };
}

it('is WebTransport where that is open, and else what is, which begins the next time', async () => {
  const free = setUp(['webtransport', 'websocket']);
  expect((await free.carriers.connect(ENDPOINT, signal)).carrier).toBe('webtransport');
  expect(free.tried).toEqual(['webtransport']);
  const { carriers, kept, tried } = setUp(['websocket']);
  expect((await carriers.connect(ENDPOINT, signal)).carrier).toBe('websocket');
  await carriers.connect(ENDPOINT, signal);
  expect(tried).toEqual(['webtransport', 'websocket', 'websocket']);
  expect(kept.carrier).toBe('websocket');
});

it('knows the best one, and remembers that it is back', async () => {
  const { carriers, kept } = setUp(['webtransport', 'websocket']);
  kept.carrier = 'websocket';
  expect([carriers.hasBetter('websocket'), carriers.hasBetter('webtransport')]).toEqual([
    true,
    false,
  ]);
  expect((await carriers.best(signal)).carrier).toBe('webtransport');
  expect(kept.carrier).toBe('webtransport');
  const closed = setUp(['websocket']);
  await expect(closed.carriers.best(signal)).rejects.toThrow('no webtransport');
  expect(closed.kept.carrier).toBeNull();
});

it('is the only one where a browser has no other, and there is nothing to remember or to wait for', async () => {
  const { carriers, kept } = setUp(['websocket'], ['websocket']);
  await carriers.connect(ENDPOINT, signal);
  expect([carriers.hasBetter('websocket'), kept.carrier]).toEqual([false, null]);
});

it('has WebTransport say why where a browser has neither', async () => {
  const { carriers } = setUp([], []);
  await expect(carriers.connect(ENDPOINT, signal)).rejects.toThrow('no webtransport');
});

it('is another one first where sessions break off on the best again and again, until the network is another', async () => {
  const { carriers, kept, tried, network } = setUp(['webtransport', 'websocket']);
  const next = async () => {
    const { carrier = 'webtransport' } = await carriers.connect(ENDPOINT, signal);
    carriers.opened(carrier);
    return carrier;
  };
  expect(await next()).toBe('webtransport');
  carriers.brokeOff('webtransport');
  expect([await next(), carriers.frail]).toEqual(['webtransport', false]);
  carriers.brokeOff('webtransport');
  expect([await next(), carriers.frail]).toEqual(['websocket', true]);
  expect([tried, kept.carrier]).toEqual([
    ['webtransport', 'webtransport', 'websocket'],
    'websocket',
  ]);
  // What was tried again in its time and broke off once more is left at once.
  await carriers.best(signal);
  carriers.brokeOff('webtransport');
  expect(await next()).toBe('websocket');
  network();
  kept.carrier = null;
  expect([await next(), carriers.frail]).toEqual(['webtransport', false]);
});
