import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { HostCore } from './core.ts';
import { fromPanel, type HostMessage, type PanelMessage, parseHostMessage } from './messages.ts';
import { DEFAULT_QUALITY } from './quality.ts';
import { DEFAULT_SOUND, type SoundChoice } from './sound/choice.ts';
import type { Kept, Memory } from './storage.ts';
import type { FromWorker } from './worker-messages.ts';

const CROP = { x: 0, y: 0, width: 640, height: 360 };

class FakeChannel {
  readonly said: HostMessage[] = [];
  #listener: (data: unknown) => void = () => undefined;
  closed = false;

  listen(listener: (data: unknown) => void): void {
    this.#listener = listener;
  }
  close(): void {
    this.closed = true;
  }
  post(data: unknown): void {
    const heard = parseHostMessage(structuredClone(data));
    if (heard.kind !== 'message') throw new Error('the host says what no panel understands');
    this.said.push(heard.message);
  }
  hear(data: unknown): void {
    this.#listener(data);
  }
  tell(message: PanelMessage): void {
    this.hear(fromPanel(message));
  }
}

class FakeMemory implements Memory {
  kept: Kept = {
    resume: null,
    crop: CROP,
    quality: DEFAULT_QUALITY,
    sound: DEFAULT_SOUND,
    sharing: false,
    paused: false,
    standby: false,
    surface: '',
    crops: [],
  };
  load = async () => this.kept;
  save = async (changes: Partial<Kept>) => {
    this.kept = { ...this.kept, ...changes };
  };
}

async function setUp(memory = new FakeMemory()) {
  const channel = new FakeChannel();
  const posted: FromWorker[] = [];
  const core = new HostCore({
    begin: {
      type: 'begin',
      origin: 'https://relay.example',
      token: 't',
      broadcast: 'b',
      key: null,
      host: 'me',
      startedMs: 5,
      inside: false,
    },
    channel,
    memory,
    post: (message) => posted.push(message),
  });
  await vi.advanceTimersByTimeAsync(0);
  return { channel, core, memory, posted };
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

it('takes crop and quality from the last time', async () => {
  const { core } = await setUp();
  expect(core.status()).toMatchObject({ state: 'idle', crop: CROP, quality: DEFAULT_QUALITY });
});

it('pushes figures four times a second, for a few seconds after a panel asked', async () => {
  const { channel } = await setUp();
  await vi.advanceTimersByTimeAsync(5_000);
  expect(channel.said).toHaveLength(0);
  channel.tell({ type: 'status', host: null, preview: false });
  expect(channel.said).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(channel.said.length).toBeGreaterThanOrEqual(8);
  await vi.advanceTimersByTimeAsync(5_000);
  const after = channel.said.length;
  await vi.advanceTimersByTimeAsync(5_000);
  expect(channel.said).toHaveLength(after);
});

it('tells every panel of a new state, asked or not', async () => {
  const { channel, core } = await setUp();
  core.setCapture('asking', null);
  expect(channel.said).toMatchObject([{ type: 'status', host: 'me', status: { state: 'asking' } }]);
});

it('obeys its panels and remembers what they chose', async () => {
  const { channel, core, memory, posted } = await setUp();
  const quality = { ...DEFAULT_QUALITY, frameRate: 10 };
  channel.tell({ type: 'crop', host: 'me', crop: null });
  channel.tell({ type: 'quality', host: 'me', quality });
  expect(core.status()).toMatchObject({ crop: null, quality });
  expect(memory.kept).toMatchObject({ crop: null, quality });
  expect(posted).toContainEqual({ type: 'frameRate', frameRate: 10 });
  channel.tell({ type: 'start', host: 'me' });
  channel.tell({ type: 'stop', host: 'me' });
  expect(posted.filter(({ type }) => type === 'verb')).toEqual([
    { type: 'verb', verb: 'start' },
    { type: 'verb', verb: 'stop' },
  ]);
});

it('keeps a source for the admin until it is to go live, and ends that with the source', async () => {
  const { channel, core, memory } = await setUp();
  const source = () => ({
    type: 'source' as const,
    readable: new ReadableStream<VideoFrame>(),
    surface: 'monitor',
    resume: false,
    standby: true,
  });
  await core.share(source());
  expect(core.status().state).toBe('standby');
  channel.tell({ type: 'live', host: 'me' });
  expect(core.status().state).toBe('connecting');
  expect(memory.kept.standby).toBe(false);
  await core.share(source());
  expect(core.status().state, 'another source may be for the admin again').toBe('standby');
  core.setCapture('stopped', null);
  await core.stop();
  expect(core.status().state).toBe('stopped');
  channel.tell({ type: 'live', host: 'me' });
  expect(core.status().state, 'there is nothing to go live with').toBe('stopped');
});

it('ignores and counts what is for another host or not understood', async () => {
  const { channel, core, posted } = await setUp();
  channel.tell({ type: 'stop', host: 'somebody else' });
  channel.hear({ side: 'panel', type: 'crop', host: 'me', crop: { x: -1 } });
  channel.hear('stop');
  channel.hear({ side: 'host', type: 'bye', host: 'an earlier host' });
  expect(core.status()).toMatchObject({ crop: CROP, counts: { ignoredMessages: 3 } });
  expect(posted.some(({ type }) => type === 'verb')).toBe(false);
});

it('moves to where panels are, and speaks there alone', async () => {
  const { channel, core } = await setUp();
  const other = new FakeChannel();
  core.move(other);
  expect(channel.closed).toBe(true);
  core.setCapture('asking', null);
  other.tell({ type: 'crop', host: 'me', crop: null });
  expect(channel.said).toHaveLength(0);
  expect(other.said).toMatchObject([{ type: 'status', status: { state: 'asking' } }]);
  expect(core.status().crop).toBeNull();
});

const LOUD: SoundChoice = {
  shared: { gain: 2, muted: false },
  microphone: { gain: 1, muted: true, device: { id: 'd', label: 'Desk' } },
};

it('takes the sound as a panel says it, and keeps it for the next time', async () => {
  const { channel, core, memory, posted } = await setUp();
  channel.tell({ type: 'sound', host: 'me', sound: LOUD });
  expect(core.status().sound.choice).toEqual(LOUD);
  expect(memory.kept.sound).toEqual(LOUD);
  const asked = { type: 'microphone', device: LOUD.microphone.device };
  expect(posted).toContainEqual(asked);
  // Nothing else of it is a matter of the device.
  posted.length = 0;
  channel.tell({ type: 'sound', host: 'me', sound: { ...LOUD, shared: { gain: 1, muted: true } } });
  expect(posted).not.toContainEqual(asked);
  const next = await setUp(memory);
  expect(next.core.status().sound.choice.shared).toEqual({ gain: 1, muted: true });
  expect(next.posted).toContainEqual(asked);
});

it('says where its sound comes from, until all of it ends', async () => {
  const { core } = await setUp();
  const shared = { kind: 'tab', lacks: null } as const;
  core.hear({ type: 'shared', readable: new ReadableStream(), facts: shared });
  const microphone = { label: 'Desk', problem: null };
  core.hear({ type: 'microphone', readable: new ReadableStream(), facts: microphone });
  expect(core.status().sound).toMatchObject({ shared, microphone, channels: 2 });
  core.hear({ type: 'microphone', readable: null, facts: { label: null, problem: 'unplugged' } });
  expect(core.status().sound.microphone.problem).toBe('unplugged');
  void core.stop();
  expect(core.status().sound).toMatchObject({
    shared: { kind: null },
    microphone: { problem: null },
    channels: null,
  });
});
