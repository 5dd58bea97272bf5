// @vitest-environment jsdom
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { DEFAULT_QUALITY } from './quality.ts';
import { deriveKeys, newSecret, SealedChannel } from './sealed.ts';
import { DEFAULT_SOUND } from './sound/choice.ts';
import type { Access, Kept, Memory } from './storage.ts';
import type { FromWorker, ToWorker } from './worker-messages.ts';

const kept: Kept = {
  resume: null,
  crop: null,
  quality: DEFAULT_QUALITY,
  sound: DEFAULT_SOUND,
  sharing: false,
  paused: false,
  standby: false,
  surface: '',
  crops: [],
};
const memory: Memory = {
  load: async () => ({ ...kept }),
  save: async (changes) => void Object.assign(kept, changes),
};
const SECRET = newSecret();
const access: Access = { token: null, panelSecret: SECRET, key: null, keyGeneration: null };
vi.mock('./storage.ts', () => ({
  memoryOf: () => memory,
  accessOf: () => ({
    load: async () => ({ ...access }),
    save: async (changes: Partial<Access>) => Object.assign(access, changes) !== null,
  }),
  forgetOld: async () => undefined,
}));
const locks = { other: false, mine: false, name: '', awaited: false };
vi.mock('./sole.ts', () => ({
  isAwaited: async (name: string) => locks.awaited && name === locks.name,
  becomeNext: () => () => undefined,
  becomeSole: async (name: string) => {
    if (locks.other) return null;
    Object.assign(locks, { mine: true, name });
    return () => {
      locks.mine = false;
    };
  },
}));
const { CaptureHost } = await import('./host.ts');

/** The worker that a host starts, as the host sees it. */
class FakeWorker {
  static last: FakeWorker;
  readonly told: ToWorker[] = [];
  onmessage: ((event: { data: FromWorker }) => void) | null = null;
  onerror: (() => void) | null = null;
  terminated = false;

  constructor() {
    FakeWorker.last = this;
  }

  postMessage(message: ToWorker): void {
    this.told.push(message);
  }

  terminate(): void {
    this.terminated = true;
  }

  says(message: FromWorker): void {
    this.onmessage?.({ data: message });
  }

  /** What it was told since the last call, in words; of sound below. */
  heard(): string[] {
    const told = this.told.splice(0).filter(({ type }) => type !== 'shared');
    return told.map((message) => {
      if (message.type === 'capture') return `capture ${message.phase}`;
      if (message.type === 'source') return `source ${message.resume ? 'again' : 'anew'}`;
      return message.type;
    });
  }
}

/** A screen's track, which its viewer may end from the browser's own bar. */
class FakeTrack extends EventTarget {
  readonly label: string;
  stopped = false;
  muted = false;
  readonly rates: unknown[] = [];
  readonly sizes: unknown[] = [];

  constructor(label = 'screen') {
    super();
    this.label = label;
  }

  stop(): void {
    this.stopped = true;
  }

  getSettings(): MediaTrackSettings {
    return { displaySurface: 'monitor' };
  }

  async applyConstraints(constraints: MediaTrackConstraints): Promise<void> {
    this.rates.push(constraints.frameRate);
    this.sizes.push([constraints.width, constraints.height]);
  }
}

let picked: FakeTrack[] = [];
/** Of each picked one its sound; null: it has none. */
let sounds: (FakeTrack | null)[] = [];
/** Whether what is picked next has one. */
let sounding = false;
/** The microphones that were listened to. */
let microphones: FakeTrack[] = [];
/** Answers the browser's picker. */
let pick: () => Promise<MediaStream>;

function share(): Promise<MediaStream> {
  const track = new FakeTrack();
  picked.push(track);
  sounds.push(sounding ? new FakeTrack('tab') : null);
  return Promise.resolve({
    getVideoTracks: () => [track],
    getAudioTracks: () => sounds.slice(-1).filter((sound) => sound !== null),
  } as unknown as MediaStream);
}

function refuse(name: string): () => Promise<MediaStream> {
  return () => Promise.reject(Object.assign(new Error('no'), { name }));
}

const bye: string[] = [];
let panel: SealedChannel;

async function panelAt(secret: string): Promise<SealedChannel> {
  const keys = await deriveKeys(secret, 'abc');
  if (keys === null) throw new Error('no secret');
  const channel = new SealedChannel(keys);
  channel.listen((message) => void bye.push((message as { type: string }).type));
  return channel;
}

beforeEach(async () => {
  Object.assign(kept, { sharing: false, standby: false, surface: '' });
  Object.assign(access, { token: null, panelSecret: SECRET, key: null, keyGeneration: null });
  Object.assign(locks, { other: false, mine: false, awaited: false });
  picked = [];
  sounds = [];
  sounding = false;
  microphones = [];
  pick = share;
  vi.stubGlobal('Worker', FakeWorker);
  vi.stubGlobal(
    'MediaStreamTrackProcessor',
    class {
      readable = {};
    },
  );
  Object.defineProperty(navigator, 'mediaDevices', {
    configurable: true,
    value: Object.assign(new EventTarget(), {
      getDisplayMedia: () => pick(),
      getUserMedia: async () => {
        const microphone = new FakeTrack('Desk microphone');
        microphones.push(microphone);
        return { getAudioTracks: () => [microphone] };
      },
    }),
  });
  bye.length = 0;
  panel = await panelAt(SECRET);
});

afterEach(() => {
  panel.close();
  vi.unstubAllGlobals();
});

async function opened(): Promise<{ host: InstanceType<typeof CaptureHost>; worker: FakeWorker }> {
  const options = {
    origin: 'https://relay.test',
    token: 't',
    broadcast: 'abc',
    key: null,
    inside: false,
  };
  const host = new CaptureHost(options);
  expect(await host.open()).toBe(true);
  FakeWorker.last.heard();
  return { host, worker: FakeWorker.last };
}

it('leaves the broadcast to another window that hosts it', async () => {
  locks.other = true;
  const options = {
    origin: 'https://relay.test',
    token: 't',
    broadcast: 'abc',
    key: null,
    inside: false,
  };
  const host = new CaptureHost(options);
  expect(await host.open()).toBe(false);
  expect(host.snapshot().phase).toBe('second');
});

it('hands the picked screen to the worker, and remembers that it is shared', async () => {
  const { host, worker } = await opened();
  await host.share({ resume: false, standby: false });
  expect(worker.heard()).toEqual(['capture asking', 'source anew']);
  expect(kept.sharing).toBe(true);
  host.close();
});

it('goes on as the publisher that it was after a reload', async () => {
  kept.sharing = true;
  const { host, worker } = await opened();
  const before = await host.before();
  expect(before).toEqual({ resume: true, standby: false });
  await host.share(before ?? undefined);
  expect(worker.heard()).toEqual(['capture asking', 'source again']);
  host.close();
});

it('keeps for the admin after a reload what nobody has seen before it', async () => {
  const { host, worker } = await opened();
  await host.share({ resume: false, standby: true });
  expect(worker.told.at(-1)).toMatchObject({ type: 'source', standby: true });
  expect(await host.before()).toEqual({ resume: true, standby: true });
  host.close();
});

it('asks once more for what it was to do before the browser wanted a click', async () => {
  kept.sharing = true;
  const { host, worker } = await opened();
  pick = refuse('InvalidStateError');
  await host.share({ resume: true, standby: true });
  pick = share;
  await host.share();
  expect(worker.told.at(-1)).toMatchObject({ type: 'source', resume: true, standby: true });
  host.close();
});

it('has pickers begin with what was shared last, and with tabs before that', async () => {
  const asked: unknown[] = [];
  Object.defineProperty(navigator, 'mediaDevices', {
    configurable: true,
    value: Object.assign(new EventTarget(), {
      getDisplayMedia: ({ video }: { video: MediaTrackConstraints }) => {
        asked.push(video.displaySurface);
        return share();
      },
    }),
  });
  const { host } = await opened();
  await host.share({ resume: false, standby: false });
  await host.share({ resume: false, standby: false });
  expect(asked).toEqual(['browser', 'monitor']);
  expect(kept.surface).toBe('monitor');
  host.close();
});

it('makes way for another window, unless it shares', async () => {
  const { host, worker } = await opened();
  await host.share({ resume: false, standby: false });
  worker.says({ type: 'verb', verb: 'leave' });
  expect([host.snapshot().phase, locks.mine]).toEqual(['open', true]);
  worker.says({ type: 'release' });
  worker.says({ type: 'verb', verb: 'leave' });
  expect([host.snapshot().phase, locks.mine, worker.terminated]).toEqual(['left', false, true]);
});

it('gives its place to a window that waits for it, and goes on sharing meanwhile', async () => {
  const { host } = await opened();
  await host.share({ resume: false, standby: false });
  expect([await host.handOver(), locks.mine]).toEqual([false, true]);
  locks.awaited = true;
  expect([await host.handOver(), locks.mine]).toEqual([true, false]);
  expect(picked[0]?.stopped).toBe(false);
  host.close();
});

it('forgets a share that was refused, but not one that only wants a click', async () => {
  kept.sharing = true;
  const { host, worker } = await opened();
  pick = refuse('InvalidStateError');
  await host.share({ resume: true, standby: false });
  expect(worker.heard()).toEqual(['capture asking', 'capture gesture']);
  expect(kept.sharing).toBe(true);
  pick = refuse('NotFoundError');
  await host.share({ resume: false, standby: false });
  expect(worker.heard()).toEqual(['capture asking', 'capture failed']);
  expect(kept.sharing).toBe(false);
  host.close();
});

it('keeps the screen that is shared when another is not picked after all', async () => {
  const { host, worker } = await opened();
  await host.share({ resume: false, standby: false });
  worker.heard();
  pick = refuse('NotAllowedError');
  await host.share({ resume: false, standby: false });
  expect(worker.heard()).toEqual([]);
  expect([picked[0]?.stopped, kept.sharing]).toEqual([false, true]);
  host.close();
});

it('lets go of the screen before when another is picked', async () => {
  const { host } = await opened();
  await host.share({ resume: false, standby: false });
  await host.share({ resume: false, standby: false });
  expect(picked.map(({ stopped }) => stopped)).toEqual([true, false]);
  // What the first one says from now on is nobody's.
  picked[0]?.dispatchEvent(new Event('ended'));
  expect(kept.sharing).toBe(true);
  host.close();
});

it('asks once, however often it is told to', async () => {
  const { host } = await opened();
  let answer: (stream: MediaStream) => void = () => undefined;
  let asked = 0;
  pick = () => {
    asked += 1;
    return new Promise((resolve) => {
      answer = resolve;
    });
  };
  const first = host.share({ resume: false, standby: false });
  await host.share({ resume: false, standby: false });
  answer(await share());
  await first;
  expect(asked).toBe(1);
  host.close();
});

it('ends the session when sharing is ended from the bar of the browser', async () => {
  const { host, worker } = await opened();
  await host.share({ resume: false, standby: false });
  worker.heard();
  picked[0]?.dispatchEvent(new Event('ended'));
  await vi.waitFor(() => expect(kept.sharing).toBe(false));
  expect(worker.heard()).toEqual(['capture ended', 'stop']);
  host.close();
});

it('says that the picture is held by the system, and when it goes on', async () => {
  const { host, worker } = await opened();
  await host.share({ resume: false, standby: false });
  worker.heard();
  const [track] = picked;
  for (const muted of [true, false]) {
    Object.assign(track ?? {}, { muted });
    track?.dispatchEvent(new Event(muted ? 'mute' : 'unmute'));
    expect(worker.told.splice(0)).toEqual([{ type: 'muted', muted }]);
  }
  host.close();
});

it('stops when the relay was told, and not before', async () => {
  const { host, worker } = await opened();
  await host.share({ resume: false, standby: false });
  worker.heard();
  let over = false;
  const stopped = host.stop().then(() => {
    over = true;
  });
  await Promise.resolve();
  expect([over, picked[0]?.stopped]).toEqual([false, true]);
  expect(worker.heard()).toEqual(['capture stopped', 'stop']);
  worker.says({ type: 'stopped' });
  await stopped;
  expect(kept.sharing).toBe(false);
  host.close();
});

it('obeys a panel, whose words come by the worker', async () => {
  const { host, worker } = await opened();
  worker.says({ type: 'verb', verb: 'start' });
  await vi.waitFor(() => expect(kept.sharing).toBe(true));
  expect(worker.heard()).toEqual(['capture asking', 'source anew']);
  worker.says({ type: 'frameRate', frameRate: 12 });
  expect(picked[0]?.rates).toEqual([{ ideal: 12, max: 12 }]);
  // Without its size in it, the browser would from then on scale down what grows.
  expect(picked[0]?.sizes).toEqual([[{ max: 8_192 }, { max: 8_192 }]]);
  worker.says({ type: 'release' });
  await vi.waitFor(() => expect(kept.sharing).toBe(false));
  expect(picked[0]?.stopped).toBe(true);
  host.close();
});

it('captures nothing on behalf of a worker that has crashed', async () => {
  const { host, worker } = await opened();
  await host.share({ resume: false, standby: false });
  worker.onerror?.();
  expect([picked[0]?.stopped, host.snapshot().phase]).toEqual([true, 'crashed']);
  host.close();
});

it('captures no page that is going, and tells panels so', async () => {
  const { host } = await opened();
  await host.share({ resume: false, standby: false });
  await vi.waitFor(() => expect(bye).toContain('hello'));
  dispatchEvent(new Event('pagehide'));
  expect(picked[0]?.stopped).toBe(true);
  await vi.waitFor(() => expect(bye).toContain('bye'));
  host.close();
});

it('gives everything back when it is closed', async () => {
  const { host, worker } = await opened();
  await host.share({ resume: false, standby: false });
  host.close();
  expect([picked[0]?.stopped, worker.terminated, locks.mine]).toEqual([true, true, false]);
  expect(host.snapshot().phase).toBe('closed');
});

/** The relay's answer to whoever asks for the broadcast; null: it refuses. */
function relaySays(panelSecret: string | null): void {
  vi.stubGlobal('fetch', async () =>
    panelSecret === null ? new Response('{}', { status: 401 }) : Response.json({ panelSecret }),
  );
}

it('asks the relay where panels are, once, where this browser does not know', async () => {
  Object.assign(access, { panelSecret: null });
  relaySays(SECRET);
  const { host, worker } = await opened();
  await vi.waitFor(() => expect(bye).toContain('hello'));
  expect(access).toEqual({ token: 't', panelSecret: SECRET, key: null, keyGeneration: null });
  expect(worker.told).toEqual([]);
  host.close();
});

it('goes on without panels where the relay does not say where they are', async () => {
  Object.assign(access, { panelSecret: null });
  relaySays(null);
  const { host } = await opened();
  const { lock } = (await deriveKeys(SECRET, 'abc')) ?? {};
  expect([access.panelSecret, locks.name === lock]).toEqual([null, false]);
  host.close();
});

it('moves to where panels are when the relay has made another secret', async () => {
  const { host, worker } = await opened();
  await vi.waitFor(() => expect(bye).toContain('hello'));
  relaySays(SECRET);
  worker.says({ type: 'unheard' });
  const other = newSecret();
  const there = await panelAt(other);
  bye.length = 0;
  relaySays(other);
  await vi.waitFor(() => {
    worker.says({ type: 'unheard' });
    expect(bye).toEqual(['bye', 'hello']);
  });
  const keys = await deriveKeys(other, 'abc');
  expect([access.panelSecret, locks.name]).toEqual([other, keys?.lock]);
  expect(worker.told.filter(({ type }) => type === 'keys')).toMatchObject([
    { keys: { channel: keys?.channel } },
  ]);
  there.close();
  host.close();
});

const DESK = { id: 'd', label: 'Desk microphone' };

/** What the worker was told of a source last. */
function toldOf(worker: FakeWorker, type: 'shared' | 'microphone') {
  const told = worker.told.filter((message) => message.type === type);
  return told.at(-1);
}

it('hands the sound of what was picked to the worker', async () => {
  sounding = true;
  const { host, worker } = await opened();
  await host.share({ resume: false, standby: false });
  // Of a whole screen it is that of the system.
  const facts = { kind: 'system', lacks: null };
  expect(toldOf(worker, 'shared')).toMatchObject({ readable: {}, facts });
  sounding = false;
  await host.share({ resume: false, standby: false });
  expect(toldOf(worker, 'shared')).toMatchObject({ readable: null, facts: { kind: null } });
  expect(sounds[0]?.stopped).toBe(true);
  host.close();
});

it('goes on without the sound when that ends by itself', async () => {
  sounding = true;
  const { host, worker } = await opened();
  await host.share({ resume: false, standby: false });
  sounds[0]?.dispatchEvent(new Event('ended'));
  const facts = { kind: null, lacks: 'ended' };
  expect(toldOf(worker, 'shared')).toMatchObject({ readable: null, facts });
  expect(picked[0]?.stopped).toBe(false);
  host.close();
});

it('listens to the microphone while something is shared, and at no other time', async () => {
  const { host, worker } = await opened();
  worker.says({ type: 'microphone', device: DESK });
  expect(microphones).toHaveLength(0);
  await host.share({ resume: false, standby: false });
  await vi.waitFor(() => {
    const facts = { label: 'Desk microphone', problem: null };
    expect(toldOf(worker, 'microphone')).toMatchObject({ readable: {}, facts });
  });
  await host.share({ resume: false, standby: false });
  expect(microphones.map(({ stopped }) => stopped)).toEqual([false]);
  const stopping = host.stop();
  expect(microphones.map(({ stopped }) => stopped)).toEqual([true]);
  worker.says({ type: 'stopped' });
  await stopping;
  host.close();
});
