// @vitest-environment jsdom
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { FromWorker, ToWorker } from '../play/messages.ts';
import type { ShownFrame } from '../play/records.ts';
import { PlayerStreamService } from './PlayerStreamService.ts';

let workers: FakeWorker[] = [];

class FakeWorker {
  readonly said: ToWorker[] = [];
  terminated = false;
  onmessage: ((event: { data: FromWorker }) => void) | null = null;
  onerror: (() => void) | null = null;

  constructor() {
    workers.push(this);
  }
  postMessage(message: ToWorker): void {
    this.said.push(message);
  }
  terminate(): void {
    this.terminated = true;
  }
}

const OPTIONS = { origin: 'https://relay.test', token: 't' };
const place = () => document.createElement('div');
const frame = (index: number): ShownFrame => ({
  epoch: 1,
  group: 1,
  index,
  captureUs: index,
  shownUs: index,
});

beforeEach(() => {
  workers = [];
  vi.useFakeTimers();
  vi.stubGlobal('Worker', FakeWorker);
  vi.stubGlobal('isSecureContext', true);
  vi.stubGlobal('WebTransport', class {});
  vi.stubGlobal('VideoDecoder', class {});
  vi.stubGlobal('navigator', { userAgent: 'Mozilla/5.0 AppleWebKit/537.36 Chrome/156.0.0.0' });
  Object.assign(HTMLCanvasElement.prototype, { transferControlToOffscreen: () => ({}) });
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

it('hands a canvas and the token to a worker', () => {
  new PlayerStreamService().start(place(), { ...OPTIONS, playout: 'live' });
  expect(workers[0]?.said).toMatchObject([{ type: 'start', token: 't', playout: 'live' }]);
});

it("passes the viewer's choice of play-out on, and keeps it for the next visit", () => {
  const service = new PlayerStreamService();
  service.start(place(), OPTIONS);
  expect(workers[0]?.said).toMatchObject([{ type: 'start', playout: 'automatic' }]);
  service.setPlayout('smooth');
  expect(workers[0]?.said.at(-1)).toEqual({ type: 'playout', mode: 'smooth' });
  expect(new PlayerStreamService().playout()).toBe('smooth');
  localStorage.clear();
});

it('passes snapshots on and keeps the newest 2,000 shown frames', () => {
  const service = new PlayerStreamService();
  const listener = vi.fn();
  service.start(place(), OPTIONS);
  const unsubscribe = service.subscribe(listener);
  const snapshot = { ...service.snapshot(), state: { kind: 'live' } as const };
  for (let turn = 0; turn < 3; turn += 1) {
    const shown = Array.from({ length: 900 }, (_, at) => frame(turn * 900 + at));
    workers[0]?.onmessage?.({ data: { type: 'snapshot', snapshot, shown } });
  }
  expect(listener).toHaveBeenCalledTimes(3);
  expect(service.snapshot().state).toEqual({ kind: 'live' });
  const { shown } = service.records();
  expect([shown.length, shown[0]?.index, shown.at(-1)?.index]).toEqual([2_000, 700, 2_699]);
  unsubscribe();
  workers[0]?.onmessage?.({ data: { type: 'snapshot', snapshot, shown: [] } });
  expect(listener).toHaveBeenCalledTimes(3);
});

it('lets the worker say goodbye, but not for long', () => {
  const service = new PlayerStreamService();
  service.start(place(), OPTIONS);
  service.stop();
  expect(workers[0]?.said.at(-1)).toEqual({ type: 'stop' });
  expect(workers[0]?.terminated).toBe(false);
  vi.advanceTimersByTime(500);
  expect(workers[0]?.terminated).toBe(true);
});

it('plays one broadcast at a time', () => {
  const service = new PlayerStreamService();
  service.start(place(), OPTIONS);
  service.start(place(), OPTIONS);
  workers[0]?.onmessage?.({ data: { type: 'stopped' } });
  expect(workers.map(({ terminated }) => terminated)).toEqual([true, false]);
});

it('gives what plays already its place, if that is for the same broadcast', () => {
  const service = new PlayerStreamService();
  service.begin(OPTIONS);
  const [own, other] = [place(), place()];
  service.start(own, OPTIONS);
  expect(workers.map(({ said }) => said.map(({ type }) => type))).toEqual([['start']]);
  expect(own.querySelectorAll('canvas')).toHaveLength(1);
  service.begin(OPTIONS);
  service.start(other, { ...OPTIONS, token: 'another' });
  expect(workers.map(({ said }) => said.map(({ type }) => type))).toEqual([
    ['start', 'stop'],
    ['start', 'stop'],
    ['start'],
  ]);
  expect(workers[2]?.said).toMatchObject([{ token: 'another' }]);
  expect(other.querySelectorAll('canvas')).toHaveLength(1);
});

it('says what this browser lacks instead of starting', () => {
  const service = new PlayerStreamService();
  const reasons: unknown[] = [];
  vi.stubGlobal('VideoDecoder', undefined);
  Reflect.deleteProperty(globalThis, 'VideoDecoder');
  service.start(place(), OPTIONS);
  reasons.push(service.snapshot().state);
  vi.stubGlobal('isSecureContext', false);
  service.start(place(), OPTIONS);
  reasons.push(service.snapshot().state);
  expect(reasons).toEqual(
    ['decoder', 'insecure'].map((reason) => ({ kind: 'unsupported', reason })),
  );
  expect(workers).toEqual([]);
});

it('plays over WebSocket where there is neither WebTransport nor WebRTC', () => {
  Reflect.deleteProperty(globalThis, 'WebTransport');
  const service = new PlayerStreamService();
  service.start(place(), OPTIONS);
  expect(workers.map(({ said }) => said)).toMatchObject([[{ carrier: 'websocket' }]]);
  workers[0]?.onmessage?.({ data: { type: 'progress', progress: 'open' } });
  expect(service.snapshot().transport).toBe('websocket');
});

it('plays by WebRTC where WebTransport cannot be relied on', () => {
  vi.stubGlobal('RTCPeerConnection', class {});
  vi.stubGlobal('fetch', () => new Promise(() => undefined));
  const agents = ['Version/18.0 Mobile Safari/604.1', 'CriOS/140 Mobile Safari/604.1'];
  for (const agent of agents) {
    vi.stubGlobal('navigator', { userAgent: `Mozilla/5.0 (iPhone) AppleWebKit/605.1.15 ${agent}` });
    const service = new PlayerStreamService();
    service.start(place(), OPTIONS);
    expect(service.snapshot().state.kind).toBe('connecting');
    service.stop();
  }
  expect(workers).toEqual([]);
});

it('has both in hand where both are possible', () => {
  vi.stubGlobal('RTCPeerConnection', class {});
  const asked = vi.fn(() => new Promise(() => undefined));
  vi.stubGlobal('fetch', asked);
  const service = new PlayerStreamService();
  service.start(place(), OPTIONS);
  workers[0]?.onmessage?.({ data: { type: 'progress', progress: 'opening' } });
  vi.advanceTimersByTime(499);
  expect(asked).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(asked).toHaveBeenCalled();
  expect(workers[0]?.said.at(-1)?.type).toBe('start');
  workers[0]?.onmessage?.({ data: { type: 'progress', progress: 'open' } });
  expect(service.snapshot().transport).toBe('webtransport');
  service.stop();
});

it('refuses to start without a token', () => {
  const service = new PlayerStreamService();
  service.start(place(), { ...OPTIONS, token: '' });
  expect(service.snapshot().state).toMatchObject({ kind: 'refused', reason: 'unauthorized' });
});

it('says so where the relay’s address is none', () => {
  const service = new PlayerStreamService();
  service.start(place(), { ...OPTIONS, origin: 'localhost:4443' });
  const { state } = service.snapshot();
  expect(state).toMatchObject({ kind: 'refused', message: expect.stringContaining('localhost') });
});

it('says so when the worker does not load', () => {
  const service = new PlayerStreamService();
  service.start(place(), OPTIONS);
  // Over WebSocket it is another one, which does not load either.
  for (const worker of [0, 1]) workers[worker]?.onerror?.();
  expect(service.snapshot().state).toMatchObject({ kind: 'refused', reason: 'internal' });
});

it('says when nobody can see the page, and when somebody can again', () => {
  const hidden = vi.spyOn(document, 'hidden', 'get').mockReturnValue(false);
  const service = new PlayerStreamService();
  service.start(place(), OPTIONS);
  const said = () => workers[0]?.said.filter(({ type }) => type === 'hidden');
  expect(said()).toEqual([]);
  for (const now of [true, false]) {
    hidden.mockReturnValue(now);
    document.dispatchEvent(new Event('visibilitychange'));
  }
  expect(said()).toEqual([
    { type: 'hidden', hidden: true },
    { type: 'hidden', hidden: false },
  ]);
  service.stop();
  document.dispatchEvent(new Event('visibilitychange'));
  expect(said()).toHaveLength(2);
});
