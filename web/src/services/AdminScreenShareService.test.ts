import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import {
  fromHost,
  hostLockName,
  type PanelMessage,
  parsePanelMessage,
} from '../publish/messages.ts';
import { DEFAULT_QUALITY } from '../publish/quality.ts';
import { type HostState, type HostStatus, NO_COUNTS, NO_LIMITS } from '../publish/status.ts';
import { AdminScreenShareService } from './AdminScreenShareService.ts';

const CROP = { x: 10, y: 10, width: 320, height: 180 };

/** The page, as far as the service needs one. */
const page = {
  held: [] as { name: string }[],
  opened: [] as string[],
  said: [] as PanelMessage[],
  /** Whether the browser opens no window. */
  blocked: false,
  /** How often this page itself asked for the screen. */
  asked: 0,
};
vi.mock('../publish/host.ts', () => ({
  CaptureHost: class {
    subscribe = () => () => undefined;
    open = async () => {
      page.held = [{ name: hostLockName('b') }];
      return true;
    };
    share = async () => {
      page.asked += 1;
    };
  },
}));
let toPanel: (data: unknown) => void = () => undefined;

class FakeChannel {
  set onmessage(listener: (event: { data: unknown }) => void) {
    toPanel = (data) => listener({ data: structuredClone(data) });
  }
  postMessage(data: unknown): void {
    const heard = parsePanelMessage(structuredClone(data));
    if (heard.kind !== 'message') throw new Error('the panel says what no host understands');
    page.said.push(heard.message);
  }
  close(): void {}
}

function status(state: HostState, change: Partial<HostStatus> = {}): HostStatus {
  return {
    state,
    sinceMs: 1,
    reason: null,
    code: null,
    inside: false,
    paused: false,
    source: null,
    crop: null,
    quality: DEFAULT_QUALITY,
    picture: null,
    renditions: [],
    limits: NO_LIMITS,
    motion: 'still',
    players: 0,
    epoch: 0,
    group: 0,
    rttMs: null,
    retryAtMs: null,
    rates: {
      fpsIn: 0,
      fpsEncoded: 0,
      fpsSent: 0,
      bitsPerSecond: 0,
      encodeMs: null,
      encoderQueue: 0,
      uplinkBacklog: 0,
    },
    counts: NO_COUNTS,
    ...change,
  };
}

const say = (host: string, startedMs: number, told: HostStatus) =>
  toPanel(fromHost({ type: 'status', host, startedMs, status: told }));

function open(): AdminScreenShareService {
  const service = new AdminScreenShareService({
    origin: 'https://relay.example',
    token: 'token',
    broadcast: 'b',
  });
  service.open();
  return service;
}

beforeEach(() => {
  vi.useFakeTimers();
  Object.assign(page, { held: [], opened: [], said: [], blocked: false, asked: 0 });
  vi.stubGlobal('BroadcastChannel', FakeChannel);
  vi.stubGlobal('document', {
    visibilityState: 'visible',
    addEventListener: () => undefined,
    removeEventListener: () => undefined,
  });
  vi.stubGlobal('navigator', { locks: { query: async () => ({ held: page.held }) } });
  vi.stubGlobal('window', {
    open: (url: URL) => {
      if (page.blocked) return null;
      page.opened.push(url.href);
      return {};
    },
  });
  vi.stubGlobal('fetch', async () => {
    throw new TypeError('offline');
  });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

it('finds the host that is running and shows the truth', async () => {
  const service = open();
  expect(page.said).toMatchObject([{ type: 'status', host: null, preview: false }]);
  say('h', 1, status('live', { crop: CROP, players: 3 }));
  expect(service.snapshot()).toMatchObject({ host: 'present', crop: CROP, status: { players: 3 } });
});

it('knows from the lock that there is no host', async () => {
  const service = open();
  await vi.advanceTimersByTimeAsync(0);
  expect(service.snapshot().host).toBe('none');
});

it('tells a busy host from a vanished one', async () => {
  const service = open();
  page.held = [{ name: hostLockName('b') }];
  say('h', 1, status('live'));
  await vi.advanceTimersByTimeAsync(4_000);
  expect(service.snapshot().host).toBe('silent');
  page.held = [];
  await vi.advanceTimersByTimeAsync(2_000);
  expect(service.snapshot()).toMatchObject({ host: 'none', status: null });
});

it('goes over to a newer host and hears no more of the older', () => {
  const service = open();
  say('old', 1, status('live'));
  say('new', 2, status('asking'));
  say('old', 1, status('live'));
  expect(service.snapshot().status?.state).toBe('asking');
  service.stop();
  expect(page.said.at(-1)).toMatchObject({ type: 'stop', host: 'new' });
});

it('opens a window without a host, and waits for it where it is slow', async () => {
  const service = open();
  await vi.advanceTimersByTimeAsync(0);
  await service.start();
  await vi.advanceTimersByTimeAsync(8_000);
  expect(page.opened).toEqual(['https://relay.example/host#token']);
  expect(service.snapshot()).toMatchObject({ host: 'opening', inside: false });
  page.held = [{ name: hostLockName('b') }];
  say('h', 9, status('asking'));
  await vi.advanceTimersByTimeAsync(2_000);
  expect(service.snapshot()).toMatchObject({ host: 'present', inside: false });
});

it('offers another window where one has come to nothing', async () => {
  const service = open();
  await service.start();
  await vi.advanceTimersByTimeAsync(12_000);
  expect(service.snapshot()).toMatchObject({ host: 'none', inside: false });
});

it('captures itself, at once, where the browser opens no window', async () => {
  page.blocked = true;
  const service = open();
  await vi.advanceTimersByTimeAsync(0);
  await service.start();
  expect(page.asked).toBe(1);
  expect(service.snapshot()).toMatchObject({ inside: true });
});

it('captures nothing itself while a new window reloads', async () => {
  const service = open();
  await vi.advanceTimersByTimeAsync(0);
  const started = service.start();
  await vi.advanceTimersByTimeAsync(500);
  toPanel(fromHost({ type: 'hello', host: 'h', startedMs: 9 }));
  toPanel(fromHost({ type: 'bye', host: 'h' }));
  await vi.advanceTimersByTimeAsync(10_000);
  await started;
  expect(service.snapshot().inside).toBe(false);
});

it('asks a host that is there to share again', async () => {
  const service = open();
  page.held = [{ name: hostLockName('b') }];
  say('h', 1, status('ended'));
  await service.start();
  expect(page.opened).toEqual([]);
  expect(page.said.at(-1)).toMatchObject({ type: 'start', host: 'h' });
});

it('shows a choice at once, and keeps it until the host has heard of it', () => {
  const service = open();
  say('h', 1, status('live'));
  service.setCrop(CROP);
  expect(service.snapshot().crop).toEqual(CROP);
  say('h', 1, status('live'));
  expect(service.snapshot().crop).toEqual(CROP);
  say('h', 1, status('live', { crop: CROP }));
  say('h', 1, status('live', { crop: null }));
  expect(service.snapshot().crop).toBeNull();
});

it('counts what it does not understand', () => {
  const service = open();
  toPanel({ side: 'host', type: 'status', host: 'h', startedMs: 1, status: { state: 'live' } });
  toPanel('hello');
  expect(service.snapshot()).toMatchObject({ ignored: 2, status: null });
});
