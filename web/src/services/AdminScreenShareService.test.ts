import { type LinkKey, newLinkKey } from '@steadycast/codec-glue';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { statusOf } from '../publish/fake-status.ts';
import { fromHost, type PanelMessage, parsePanelMessage } from '../publish/messages.ts';
import { DEFAULT_SOUND } from '../publish/sound/choice.ts';
import { type Levels, NO_SOUND } from '../publish/sound/facts.ts';
import type { HostState, HostStatus } from '../publish/status.ts';
import type { Access } from '../publish/storage.ts';
import { AdminScreenShareService, type SharePages } from './AdminScreenShareService.ts';

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
  /** The host that this page opened. */
  inside: null as { become: (status: HostStatus) => void; closed: boolean } | null,
  /** What the browser keeps; null: it keeps nothing. */
  kept: null as Access | null,
  /** Where the panel listens: by the secret that its channel follows from. */
  at: null as string | null,
};
const TOKEN = tokenFor(4_000_000_000);

function tokenFor(exp: number): string {
  const claims = { exp, steadycast: { broadcast: 'b', roles: ['publish'] } };
  return `e30.${btoa(JSON.stringify(claims)).replaceAll('=', '')}.c2ln`;
}

const lockOf = (secret: string) => ({ name: `lock ${secret}` });

vi.mock('../publish/storage.ts', async (original) => ({
  ...(await original<object>()),
  accessOf: () => ({
    load: async () =>
      page.kept ?? { token: null, panelSecret: null, key: null, keyGeneration: null },
    save: async (changes: Partial<Access>) => {
      if (page.kept !== null) page.kept = { ...page.kept, ...changes };
      return page.kept !== null;
    },
  }),
}));
vi.mock('../publish/host.ts', () => ({
  CaptureHost: class {
    readonly id = 'inside';
    closed = false;
    #status: HostStatus | null = null;
    #listener: () => void = () => undefined;
    constructor() {
      page.inside = this;
    }
    subscribe = (listener: () => void) => {
      this.#listener = listener;
    };
    snapshot = () => ({ status: this.#status });
    become = (status: HostStatus) => {
      this.#status = status;
      this.#listener();
    };
    handOver = async () => true;
    close = () => {
      this.closed = true;
    };
    open = async () => {
      page.held = [lockOf('one')];
      return true;
    };
    share = async () => {
      page.asked += 1;
    };
  },
}));
let toPanel: (data: unknown) => void = () => undefined;

vi.mock('../publish/sealed.ts', () => ({
  deriveKeys: async (secret: string) => ({ channel: secret, lock: lockOf(secret).name }),
  SealedChannel: class {
    readonly #secret: string;
    constructor({ channel }: { channel: string }) {
      this.#secret = channel;
      page.at = channel;
    }
    listen(listener: (message: unknown) => void): void {
      toPanel = (data) => listener(structuredClone(data));
    }
    post(data: unknown): void {
      if (page.at !== this.#secret) throw new Error('the panel speaks where it has left');
      const heard = parsePanelMessage(structuredClone(data));
      if (heard.kind !== 'message') throw new Error('the panel says what no host understands');
      page.said.push(heard.message);
    }
    close(): void {}
  },
}));

/** What the relay answers. */
function relaySays(panelSecret: string): void {
  const facts = {
    id: 'b',
    title: '',
    phase: 'live',
    sinceUs: 1,
    players: 0,
    links: { player: '' },
  };
  vi.stubGlobal('fetch', async () => Response.json({ ...facts, panelSecret }));
}

function status(state: HostState, change: Partial<HostStatus> = {}): HostStatus {
  return statusOf({ state, source: null, motion: 'still', ...change });
}

const say = (host: string, startedMs: number, told: HostStatus) =>
  toPanel(fromHost({ type: 'status', host, startedMs, status: told }));

async function open(
  options: SharePages & { token?: string; key?: LinkKey } = {},
): Promise<AdminScreenShareService> {
  const service = new AdminScreenShareService({
    origin: 'https://relay.example',
    token: TOKEN,
    broadcast: 'b',
    ...options,
  });
  service.open();
  await vi.advanceTimersByTimeAsync(0);
  return service;
}

beforeEach(() => {
  vi.useFakeTimers();
  Object.assign(page, { held: [], opened: [], said: [], blocked: false, asked: 0, at: null });
  page.kept = { token: null, panelSecret: 'one', key: null, keyGeneration: null };
  vi.stubGlobal('document', {
    visibilityState: 'visible',
    addEventListener: () => undefined,
    removeEventListener: () => undefined,
  });
  vi.stubGlobal('navigator', { locks: { query: async () => ({ held: page.held }) } });
  vi.stubGlobal('window', {
    ...{ screenX: 0, screenY: 0, outerWidth: 1_200 },
    screen: { availWidth: 1_920, availHeight: 1_080 },
    open: (url: URL) => {
      if (page.blocked) return null;
      page.opened.push(url.href);
      return {};
    },
  });
  vi.stubGlobal('location', new URL('https://relay.example/admin'));
  vi.stubGlobal('fetch', async () => {
    throw new TypeError('offline');
  });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

it('finds the host that is running and shows the truth', async () => {
  const service = await open();
  expect(page.said).toMatchObject([{ type: 'status', host: null, preview: false }]);
  say('h', 1, status('live', { crop: CROP, players: 3 }));
  expect(service.snapshot()).toMatchObject({ host: 'present', crop: CROP, status: { players: 3 } });
});

it('knows from the lock that there is no host', async () => {
  const service = await open();
  await vi.advanceTimersByTimeAsync(0);
  expect(service.snapshot().host).toBe('none');
});

it('tells a busy host from a vanished one', async () => {
  const service = await open();
  page.held = [lockOf('one')];
  say('h', 1, status('live'));
  await vi.advanceTimersByTimeAsync(4_000);
  expect(service.snapshot().host).toBe('silent');
  page.held = [];
  await vi.advanceTimersByTimeAsync(2_000);
  expect(service.snapshot()).toMatchObject({ host: 'none', status: null });
});

it('goes over to a newer host and hears no more of the older', async () => {
  const service = await open();
  say('old', 1, status('live'));
  say('new', 2, status('asking'));
  say('old', 1, status('live'));
  expect(service.snapshot().status?.state).toBe('asking');
  service.stop();
  expect(page.said.at(-1)).toMatchObject({ type: 'stop', host: 'new' });
});

it('opens a window without a host, and waits for it where it is slow', async () => {
  const service = await open();
  await vi.advanceTimersByTimeAsync(0);
  await service.start();
  await vi.advanceTimersByTimeAsync(8_000);
  expect(page.opened).toEqual(['https://relay.example/host#broadcast=b']);
  expect(service.snapshot()).toMatchObject({ host: 'opening', inside: false });
  page.held = [lockOf('one')];
  say('h', 9, status('asking'));
  await vi.advanceTimersByTimeAsync(2_000);
  expect(service.snapshot()).toMatchObject({ host: 'present', inside: false });
});

it('offers another window where one has come to nothing', async () => {
  const service = await open();
  await service.start();
  await vi.advanceTimersByTimeAsync(12_000);
  expect(service.snapshot()).toMatchObject({ host: 'missing', inside: false });
  await service.start();
  expect(service.snapshot()).toMatchObject({ host: 'opening', inside: false });
  say('h', 9, status('asking'));
  await vi.advanceTimersByTimeAsync(12_000);
  expect(service.snapshot()).toMatchObject({ host: 'none', inside: false });
});

it('opens the page of an app where that is of the app’s own origin', async () => {
  vi.stubGlobal('location', new URL('https://app.example/table/7'));
  const service = await open({ hostPage: '/capture?table=7' });
  expect(service.snapshot().hasHostPage).toBe(true);
  await service.start({ standby: true });
  expect(page.opened).toEqual(['https://app.example/capture?table=7&standby=#broadcast=b']);
});

it('captures itself, and opens no window, where none could be heard', async () => {
  vi.stubGlobal('location', new URL('https://app.example/table/7'));
  const service = await open();
  expect(service.snapshot().hasHostPage).toBe(false);
  await service.start();
  await vi.advanceTimersByTimeAsync(0);
  expect(service.snapshot()).toMatchObject({ inside: true });
  expect(service.moveOut(), 'there is nowhere to move to').toBe(false);
  expect([page.opened, page.asked]).toEqual([[], 1]);
});

it('says what is wrong with what an app gives it', () => {
  vi.stubGlobal('location', new URL('https://app.example/table/7'));
  const given = { origin: 'https://relay.example', token: TOKEN };
  for (const [wrong, said] of [
    [{ origin: 'localhost:4443' }, 'no address of a relay'],
    [{ origin: '' }, 'no address of a relay'],
    [{ hostPage: 'https://other.example/capture' }, 'another origin'],
    [{ hostPage: 'http://[' }, 'no address'],
    [{ hostPage: '/#/capture' }, 'fragment'],
    [{ playerPage: '/watch#x' }, 'fragment'],
    [{ token: 'x' }, 'no publish token'],
  ] as const) {
    const make = () => new AdminScreenShareService({ ...given, ...wrong });
    expect(make, said).toThrow(TypeError);
    expect(make, said).toThrow(said);
  }
});

it('is not inside where another page is', async () => {
  const service = await open();
  say('other', 1, status('live', { inside: true }));
  expect(service.snapshot()).toMatchObject({ host: 'present', inside: false });
});

it('sends viewers to the page of an app', async () => {
  vi.stubGlobal('location', new URL('https://app.example/table/7'));
  vi.stubGlobal('fetch', async () =>
    Response.json({
      ...{ id: 'b', title: '', phase: 'live', sinceUs: 1, players: 0, panelSecret: 'one' },
      links: { player: '/play#token=p', network: ['http://10.0.0.1/play#token=p'] },
      link: '/play#token=t',
    }),
  );
  const service = await open({ playerPage: '/watch?table=7' });
  await vi.advanceTimersByTimeAsync(1_000);
  const { playerLink, networkLinks } = service.snapshot().broadcast ?? {};
  expect(playerLink).toBe('https://app.example/watch?table=7#token=p');
  expect(networkLinks).toEqual([]);
  expect(await service.timedPlayerLink(60)).toBe('https://app.example/watch?table=7#token=t');
});

it('is of the broadcast that its token is for, and of none without one', () => {
  const service = new AdminScreenShareService({ origin: 'https://relay.example', token: TOKEN });
  expect(service.adminLink()).toBe(`https://relay.example/admin#token=${TOKEN}`);
  const bad = () => new AdminScreenShareService({ origin: 'https://relay.example', token: 'x' });
  expect(bad).toThrow(TypeError);
});

it('captures itself, at once, where the browser opens no window', async () => {
  page.blocked = true;
  const service = await open();
  await vi.advanceTimersByTimeAsync(0);
  await service.start();
  expect(page.asked).toBe(1);
  expect(service.snapshot()).toMatchObject({ inside: true });
});

it('captures nothing itself while a new window reloads', async () => {
  const service = await open();
  await vi.advanceTimersByTimeAsync(0);
  const started = service.start();
  await vi.advanceTimersByTimeAsync(500);
  toPanel(fromHost({ type: 'hello', host: 'h', startedMs: 9 }));
  toPanel(fromHost({ type: 'bye', host: 'h' }));
  await vi.advanceTimersByTimeAsync(10_000);
  await started;
  expect(service.snapshot().inside).toBe(false);
});

it('opens a new window in place of one that shares nothing, which may be covered', async () => {
  const service = await open();
  page.held = [lockOf('one')];
  say('h', 1, status('cancelled'));
  await service.start({ standby: true });
  expect(page.said.at(-1)).toEqual({ side: 'panel', type: 'leave', host: 'h' });
  expect(page.opened).toEqual(['https://relay.example/host?standby=#broadcast=b']);
  // What the old one says on its way out is no news.
  say('h', 1, status('cancelled'));
  expect(service.snapshot()).toMatchObject({ host: 'opening', status: null });
  say('i', 2, status('standby'));
  expect(service.snapshot()).toMatchObject({ host: 'present', status: { state: 'standby' } });
  service.goLive();
  expect(page.said.at(-1)).toEqual({ side: 'panel', type: 'live', host: 'i' });
});

it('lets a window take over from itself, and follows it once that shares', async () => {
  page.blocked = true;
  page.kept = { token: TOKEN, panelSecret: 'one', key: null, keyGeneration: null };
  const service = await open();
  await vi.advanceTimersByTimeAsync(0);
  await service.start();
  page.inside?.become(status('live', { inside: true }));
  say('inside', 1, status('live', { inside: true }));
  expect(service.moveOut(), 'the browser opens none still').toBe(false);
  page.blocked = false;
  expect(service.moveOut()).toBe(true);
  expect(page.opened.at(-1)).toContain('/host?resume=#');
  toPanel(fromHost({ type: 'hello', host: 'i', startedMs: 2 }));
  say('i', 2, status('cancelled'));
  expect(service.snapshot().status).toMatchObject({ state: 'live', inside: true });
  say('i', 2, status('live'));
  page.inside?.become(status('superseded', { inside: true }));
  expect(service.snapshot()).toMatchObject({ inside: false, status: { state: 'live' } });
  expect(page.inside?.closed).toBe(true);
});

it('shows a choice at once, and keeps it until the host has heard of it', async () => {
  const service = await open();
  say('h', 1, status('live'));
  service.setCrop(CROP);
  expect(service.snapshot().crop).toEqual(CROP);
  say('h', 1, status('live'));
  expect(service.snapshot().crop).toEqual(CROP);
  say('h', 1, status('live', { crop: CROP }));
  say('h', 1, status('live', { crop: null }));
  expect(service.snapshot().crop).toBeNull();
});

it('has the host change its sound, and shows what it says of that', async () => {
  const service = await open();
  say('h', 1, status('live'));
  const quiet = { ...DEFAULT_SOUND, shared: { gain: 1, muted: true } };
  service.setSound(quiet);
  expect(page.said.at(-1)).toMatchObject({ type: 'sound', host: 'h', sound: quiet });
  expect(service.snapshot().sound).toEqual(quiet);
  const loud = { ...DEFAULT_SOUND, shared: { gain: 2, muted: false } };
  say('h', 1, status('live', { sound: { ...NO_SOUND, choice: quiet } }));
  say('h', 1, status('live', { sound: { ...NO_SOUND, choice: loud } }));
  expect(service.snapshot().sound).toEqual(loud);
});

it('passes the levels of its own host on, while they are watched', async () => {
  const service = await open();
  say('h', 1, status('live'));
  const seen: Levels[] = [];
  const stop = service.watchLevels((levels) => seen.push(levels));
  const levels = { shared: 0.5, microphone: 0 };
  toPanel(fromHost({ type: 'levels', host: 'h', levels }));
  toPanel(fromHost({ type: 'levels', host: 'another', levels }));
  stop();
  toPanel(fromHost({ type: 'levels', host: 'h', levels }));
  expect(seen).toEqual([levels]);
});

it('counts what it does not understand', async () => {
  const service = await open();
  toPanel({ side: 'host', type: 'status', host: 'h', startedMs: 1, status: { state: 'live' } });
  toPanel('hello');
  expect(service.snapshot()).toMatchObject({ ignored: 2, status: null });
});

it('waits to be told where hosts are, where the browser does not know', async () => {
  page.kept = { token: null, panelSecret: null, key: null, keyGeneration: null };
  page.held = [lockOf('two')];
  const answers: (() => void)[] = [];
  const facts = {
    id: 'b',
    title: '',
    phase: 'live',
    sinceUs: 1,
    players: 0,
    links: { player: '' },
  };
  const answer = () => Response.json({ ...facts, panelSecret: 'two' });
  vi.stubGlobal('fetch', () => new Promise((told) => answers.push(() => told(answer()))));
  const service = await open();
  expect([service.snapshot().host, page.at]).toEqual(['searching', null]);
  answers[0]?.();
  await vi.advanceTimersByTimeAsync(0);
  expect(page.said).toMatchObject([{ type: 'status' }]);
  say('h', 1, status('live'));
  expect(service.snapshot().host).toBe('present');
  expect(page.kept).toEqual({ token: TOKEN, panelSecret: 'two', key: null, keyGeneration: null });
});

it('says that there is no host where nothing can be known', async () => {
  page.kept = null;
  const service = await open();
  await vi.advanceTimersByTimeAsync(2_000);
  expect(service.snapshot().host).toBe('none');
  await service.start();
  expect(page.opened, 'a window that finds nothing is given it').toEqual([
    `https://relay.example/host#token=${TOKEN}`,
  ]);
});

it('moves when the relay has another secret, and hears no more of what was before', async () => {
  const service = await open();
  page.held = [lockOf('one')];
  say('old', 1, status('live'));
  relaySays('two');
  await vi.advanceTimersByTimeAsync(1_000);
  expect([page.at, page.kept?.panelSecret]).toEqual(['two', 'two']);
  expect(service.snapshot()).toMatchObject({ host: 'none', status: null });
  page.held = [lockOf('two')];
  say('new', 2, status('live'));
  expect(service.snapshot().host).toBe('present');
  expect(JSON.stringify(service.snapshot()), 'support reads this').not.toContain('"two"');
});

it('keeps its token for hosts, but none that may be worse than what is kept', async () => {
  page.kept = { token: tokenFor(1), panelSecret: 'one', key: null, keyGeneration: null };
  await open();
  expect(page.kept?.token, 'that one has ended').toBe(TOKEN);
  const good = tokenFor(4_000_000_001);
  page.kept = { token: good, panelSecret: 'one', key: null, keyGeneration: null };
  const service = await open();
  await service.start();
  expect(page.kept?.token).toBe(good);
  expect(page.opened.at(-1)).toBe(`https://relay.example/host#token=${TOKEN}`);
  relaySays('one');
  await vi.advanceTimersByTimeAsync(1_000);
  expect(page.kept?.token, 'the relay knows it').toBe(TOKEN);
});

it('says its link, which no address does', async () => {
  expect((await open()).adminLink()).toBe(`https://relay.example/admin#token=${TOKEN}`);
});

it('tells a host again to stop, or to pause, that has not heard it', async () => {
  const service = await open();
  const told = (wanted: string) => page.said.filter(({ type }) => type === wanted).length;
  say('h', 1, status('live'));
  service.pause(true);
  say('h', 1, status('live'));
  expect(told('pause')).toBe(2);
  say('h', 1, status('live', { paused: true }));
  // It goes on by what another panel said.
  say('h', 1, status('live'));
  expect(told('pause')).toBe(2);
  service.stop();
  say('h', 1, status('live'));
  expect(told('stop')).toBe(2);
  say('h', 1, status('stopped'));
  // Shared again from its own window.
  say('h', 1, status('live'));
  expect(told('stop')).toBe(2);
});

it('puts the key of a private broadcast into links, which no relay knows, and another one into new links', async () => {
  const key = newLinkKey();
  page.kept = { token: TOKEN, panelSecret: 'one', key, keyGeneration: null };
  const facts = { id: 'b', title: '', phase: 'live', sinceUs: 1, players: 0, private: true };
  const links = { admin: '/admin#token=q', player: '/play#token=q' };
  const bodies: unknown[] = [];
  vi.stubGlobal('fetch', async (_url: URL, { body }: RequestInit = {}) => {
    bodies.push(body);
    return Response.json({ ...facts, panelSecret: 'one', publishToken: 'q', links });
  });
  const service = await open();
  await vi.advanceTimersByTimeAsync(1_000);
  const link = () => service.snapshot().broadcast?.playerLink;
  expect(link()).toBe(`https://relay.example/play#token=q&key=${key}`);
  expect(service.adminLink()).toBe(`https://relay.example/admin#token=${TOKEN}&key=${key}`);
  say('host', 1, status('live'));
  await service.renewPlayerLink();
  const [, next] = link()?.split('&key=') ?? [];
  expect(next).not.toBe(key);
  expect([page.kept?.key, service.snapshot().key]).toEqual([next, next]);
  expect(page.said).toContainEqual(
    expect.objectContaining({ type: 'key', host: 'host', key: next }),
  );
  expect(JSON.stringify(bodies)).not.toContain(next);
});

/** A link's token of this generation. */
function tokenOf(generation: number): string {
  const claims = {
    exp: 9_000_000_000,
    steadycast: { broadcast: 'b', roles: ['publish'], generation },
  };
  return `h.${btoa(JSON.stringify(claims))}.s`;
}

it('says that its key is an old one, gives that to nobody, and makes a new one with new links', async () => {
  const key = newLinkKey();
  page.kept = { token: null, panelSecret: 'one', key: null, keyGeneration: null };
  const facts = { id: 'b', title: '', phase: 'live', sinceUs: 1, players: 0, private: true };
  const links = { admin: '/admin#token=a', player: '/play#token=q' };
  let playGeneration = 3;
  vi.stubGlobal('fetch', async (_url: URL, { method }: RequestInit = {}) => {
    if (method === 'POST') playGeneration = 5;
    const publishToken = tokenOf(playGeneration);
    return Response.json({ ...facts, playGeneration, panelSecret: 'one', publishToken, links });
  });
  const service = await open({ token: tokenOf(3), key });
  await vi.advanceTimersByTimeAsync(1_000);
  expect(service.snapshot()).toMatchObject({ key, isKeyOld: false });
  expect(service.snapshot().broadcast?.playerLink).toContain(key);
  // Somebody else replaces them.
  playGeneration = 4;
  await vi.advanceTimersByTimeAsync(20_000);
  expect(service.snapshot()).toMatchObject({ key, isKeyOld: true });
  expect(service.snapshot().broadcast?.playerLink).toBe('https://relay.example/play#token=q');
  expect(await service.newAdminLink()).toBe('https://relay.example/admin#token=a');

  await service.renewPlayerLink();
  const { key: next, isKeyOld } = service.snapshot();
  expect(isKeyOld).toBe(false);
  expect(next).not.toBe(key);
  expect(page.kept).toMatchObject({ key: next, keyGeneration: 5, token: tokenOf(5) });
  // Whoever has this link knows of which generation its key is.
  expect(service.adminLink()).toContain(encodeURIComponent(tokenOf(5)));
});

it('goes on with the newer key where an older link is opened once more', async () => {
  const [older, newer] = [newLinkKey(), newLinkKey()];
  page.kept = { token: tokenOf(4), panelSecret: 'one', key: newer, keyGeneration: 4 };
  const service = await open({ token: tokenOf(3), key: older });
  expect(service.snapshot().key).toBe(newer);
  expect(page.kept.key).toBe(newer);
  const other = await open({ token: tokenOf(4), key: older });
  expect(other.snapshot().key).toBe(older);
});
