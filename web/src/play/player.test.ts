import {
  type ClientMessage,
  encodeFrame,
  type FrameHeader,
  groupPreamble,
  type RelayMessage,
  type Status,
} from '@steadycast/codec-glue';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { RelayClock } from '../session/clock.ts';
import { WELCOME } from '../session/fake.ts';
import type { ConnectionState, KeepConnectedOptions, RelaySession } from '../session/index.ts';
import type { PlayerSnapshot } from './messages.ts';
import { Player } from './player.ts';

/** One picture per chunk, at once; a chunk of 0xff cannot be decoded. */
class FakeVideoDecoder {
  state = 'unconfigured';
  decodeQueueSize = 0;
  ondequeue = null;
  readonly #init: VideoDecoderInit;
  #size = { displayWidth: 0, displayHeight: 0 };

  constructor(init: VideoDecoderInit) {
    this.#init = init;
  }
  configure({ codedWidth = 0, codedHeight = 0 }: VideoDecoderConfig): void {
    this.state = 'configured';
    this.#size = { displayWidth: codedWidth, displayHeight: codedHeight };
  }
  decode({ timestamp, data }: EncodedVideoChunkInit): void {
    if (data instanceof Uint8Array && data[0] === 0xff) {
      this.state = 'closed';
      this.#init.error(new DOMException('bad', 'EncodingError'));
      return;
    }
    const frame = { timestamp, ...this.#size, close: () => undefined };
    this.#init.output(frame as unknown as VideoFrame);
  }
  close(): void {
    this.state = 'closed';
  }
}

class FakeCanvas {
  width = 300;
  height = 150;
  getContext() {
    const getImageData = () => ({ data: new Uint8ClampedArray(256).fill(255) });
    return { drawImage: () => undefined, clearRect: () => undefined, getImageData };
  }
}

/** A session in the test's hands. */
class FakeCarrier {
  readonly welcome = { ...WELCOME, relayUs: Date.now() * 1_000 };
  readonly clock = new RelayClock(
    { sentUs: Date.now() * 1_000, receivedUs: Date.now() * 1_000, relayUs: Date.now() * 1_000 },
    () => Date.now() * 1_000,
  );
  readonly rttUs = 1_000;
  readonly silentMs = 0;
  readonly said: ClientMessage[] = [];
  onStatusChange: (status: Status) => void = () => undefined;
  say: (message: RelayMessage) => void = () => undefined;
  #streams: ReadableStreamDefaultController<ReadableStream<Uint8Array>> | undefined;
  #group: ReadableStreamDefaultController<Uint8Array> | undefined;

  groups() {
    return new ReadableStream<ReadableStream<Uint8Array>>({
      start: (controller) => {
        this.#streams = controller;
      },
    });
  }
  heard(): void {}
  send(message: ClientMessage): void {
    this.said.push(message);
  }
  onMessage(listener: (message: RelayMessage) => void) {
    this.say = listener;
    return () => undefined;
  }
  onStatus(listener: (status: Status) => void) {
    this.onStatusChange = listener;
    listener(this.welcome.status);
    return () => undefined;
  }

  frame(group: number, index: number, over: Partial<FrameHeader> = {}, byte = 1): void {
    const keyframe = index === 0;
    const config = {
      width: 640,
      height: 360,
      codec: 'vp8',
      description: new Uint8Array(0),
      colour: null,
    };
    const header = {
      keyframe,
      refinement: false,
      sealed: false,
      track: 0,
      layer: 0,
      epoch: 1,
      group,
      index,
      captureUs: Date.now() * 1_000,
      config: keyframe ? config : null,
      ...over,
    };
    if (keyframe) this.#openGroup();
    const { head, payload } = encodeFrame(header, Uint8Array.of(byte));
    this.#group?.enqueue(head);
    this.#group?.enqueue(payload);
  }

  /** Begins a frame of so many bytes. */
  piece(group: number, index: number, bytes: number): void {
    const place = { track: 0, layer: 0, epoch: 1 };
    const header = { ...place, keyframe: false, refinement: false, sealed: false };
    const rest = { group, index, captureUs: Date.now() * 1_000, config: null };
    this.#group?.enqueue(encodeFrame({ ...header, ...rest }, new Uint8Array(bytes)).head);
  }

  /** Goes on with it. */
  more(bytes: number): void {
    this.#group?.enqueue(new Uint8Array(bytes));
  }

  reset(code: number): void {
    this.#group?.error(Object.assign(new Error('reset'), { streamErrorCode: code }));
  }

  #openGroup(): void {
    const stream = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#group = controller;
      },
    });
    this.#streams?.enqueue(stream);
    this.#group?.enqueue(groupPreamble());
  }
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal('OffscreenCanvas', FakeCanvas);
  vi.stubGlobal('VideoDecoder', FakeVideoDecoder);
  vi.stubGlobal(
    'EncodedVideoChunk',
    class {
      constructor(init: EncodedVideoChunkInit) {
        Object.assign(this, init);
      }
    },
  );
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function play(able: (codec: string) => boolean = () => true) {
  const canvas = new FakeCanvas();
  const snapshots: PlayerSnapshot[] = [];
  let tell: (state: ConnectionState) => void = () => undefined;
  const player = new Player({
    canvas: canvas as unknown as OffscreenCanvas,
    origin: 'https://relay.test',
    token: 't',
    playout: 'automatic',
    onSnapshot: (snapshot) => snapshots.push(snapshot),
    prober: async ({ codec }) => able(codec),
    connect: (options: KeepConnectedOptions) => {
      tell = options.onState;
      return new Promise((resolve) => {
        options.signal.addEventListener('abort', () => resolve(null));
      });
    },
  });
  const ended = player.run();
  const open = () => {
    const carrier = new FakeCarrier();
    tell({ kind: 'open', session: carrier as unknown as RelaySession });
    return carrier;
  };
  const pass = (ms = 34) => vi.advanceTimersByTimeAsync(ms);
  const newest = () => {
    const snapshot = snapshots.at(-1);
    if (snapshot === undefined) throw new RangeError('nothing was published');
    return snapshot;
  };
  return { player, canvas, ended, open, pass, newest, lose: () => tell(LOST) };
}

const LOST: ConnectionState = {
  kind: 'lost',
  reason: 'x',
  retryInMs: 100,
  handshakes: 0,
  why: 'broken',
};

it('shows frames, reports them, and finds a screen at rest', async () => {
  const { open, pass, newest, canvas } = play();
  const carrier = open();
  for (let index = 0; index < 10; index += 1) {
    carrier.frame(1, index);
    await pass();
  }
  expect(newest().state.kind).toBe('live');
  expect([canvas.width, canvas.height]).toEqual([640, 360]);
  await pass(1_500);
  expect(newest().state.kind).toBe('static');
  expect(newest().records).toMatchObject({ framesReceived: 10, framesShown: 10, blackFrames: 0 });
  const report = carrier.said.findLast(({ type }) => type === 'report');
  expect(report).toMatchObject({ received: 10, decoded: 10, shown: 10, black: 0 });
});

it('says at once that the host is away, and shows the new epoch when it comes', async () => {
  const { open, pass, newest, canvas } = play();
  const carrier = open();
  carrier.frame(1, 0);
  await pass();
  const sinceUs = Date.now() * 1_000;
  carrier.onStatusChange({ ...WELCOME.status, phase: 'held', sinceUs });
  expect(newest().state).toEqual({ kind: 'away', sinceMs: sinceUs / 1_000 });
  carrier.onStatusChange({ ...WELCOME.status, epoch: 2 });
  const config = {
    width: 320,
    height: 180,
    codec: 'vp8',
    description: new Uint8Array(0),
    colour: null,
  };
  carrier.frame(0, 0, { epoch: 2, config });
  await pass(300);
  expect(newest().state.kind).toBe('live');
  expect([canvas.width, newest().records.framesShown]).toEqual([320, 2]);
});

it('asks for a keyframe after a decoder error, goes on at the next, and again if none comes', async () => {
  const { open, pass, newest } = play();
  const carrier = open();
  carrier.frame(7, 0);
  await pass();
  carrier.frame(7, 1, {}, 0xff);
  carrier.frame(7, 2);
  await pass();
  const asked = () => carrier.said.filter(({ type }) => type === 'keyframeRequest');
  expect(asked()).toEqual([{ type: 'keyframeRequest', epoch: 1, group: 7 }]);
  await pass(2_500);
  expect(asked()).toHaveLength(2);
  carrier.frame(8, 0);
  await pass(3_000);
  expect(asked()).toHaveLength(2);
  expect(newest().records).toMatchObject({ decoderErrors: 1, framesShown: 2 });
});

it('goes on after a skip without asking', async () => {
  const { open, pass, newest } = play();
  const carrier = open();
  carrier.frame(1, 0);
  await pass();
  carrier.reset(5);
  await pass();
  carrier.frame(2, 0);
  await pass(300);
  expect(carrier.said.some(({ type }) => type === 'keyframeRequest')).toBe(false);
  expect(newest().records).toMatchObject({ skips: 1, framesShown: 2 });
});

it('keeps its totals over sessions, but reports each session alone', async () => {
  const { open, pass, newest, lose } = play();
  open().frame(1, 0);
  await pass();
  lose();
  expect(newest().state.kind).toBe('reconnecting');
  await pass(500);
  const carrier = open();
  carrier.frame(5, 0);
  await pass(1_100);
  expect(newest().records).toMatchObject({ sessionsOpened: 2, sessionsClosed: 1, framesShown: 2 });
  expect(carrier.said.findLast(({ type }) => type === 'report')).toMatchObject({ shown: 1 });
});

it('stops', async () => {
  const { player, ended, open, newest } = play();
  open();
  player.stop();
  await ended;
  expect(newest().records).toMatchObject({ sessionsOpened: 1, sessionsClosed: 1 });
  expect(vi.getTimerCount()).toBe(0);
});

const AV1 = {
  width: 640,
  height: 360,
  codec: 'av01.0.08M.08',
  description: new Uint8Array(0),
  colour: null,
};
const saidOf = (carrier: FakeCarrier) => carrier.said.filter(({ type }) => type === 'decodes');
const withoutAv1 = (codec: string) => !codec.startsWith('av01');

it('says what it can decode once it knows, in every session', async () => {
  const { open, pass, lose } = play(withoutAv1);
  const first = open();
  await pass();
  const decodes = { type: 'decodes', codecs: ['h264', 'vp9', 'vp8'] };
  expect(saidOf(first)).toEqual([decodes]);
  lose();
  expect(saidOf(open())).toEqual([decodes]);
});

it('leaves alone what it cannot decode, and shows the version that is made for it', async () => {
  const { open, pass, newest } = play(withoutAv1);
  const carrier = open();
  await pass();
  carrier.frame(50, 0, { config: AV1 }, 0xff);
  carrier.say({ type: 'serving', serving: { service: 'preparing', track: 2, codec: 'vp8' } });
  await pass();
  expect(newest().state).toEqual({ kind: 'preparing' });
  expect(newest().records).toMatchObject({ decoderErrors: 0, framesShown: 0 });
  carrier.say({ type: 'serving', serving: { service: 'ready', track: 2, codec: 'vp8' } });
  carrier.frame(1, 0, { track: 2 });
  carrier.frame(1, 1, { track: 2 });
  await pass(300);
  expect(newest().state.kind).toBe('live');
  expect(newest().records).toMatchObject({ decoderErrors: 0, framesShown: 2 });
});

it('says so when there is no version that it could show', async () => {
  const { open, pass, newest } = play(withoutAv1);
  const carrier = open();
  carrier.say({ type: 'serving', serving: { service: 'unsupported', track: 0, codec: 'av1' } });
  await pass();
  expect(newest().state).toEqual({ kind: 'undecodable', codec: 'av1' });
});

it('gives up a codec whose decoder fails at every keyframe, and tells the relay', async () => {
  const { open, pass } = play();
  const carrier = open();
  await pass();
  for (let group = 1; group <= 3; group += 1) {
    carrier.frame(group, 0, { config: AV1 }, 0xff);
    await pass(600);
  }
  expect(saidOf(carrier)).toEqual([
    { type: 'decodes', codecs: ['av1', 'h264', 'vp9', 'vp8'] },
    { type: 'decodes', codecs: ['h264', 'vp9', 'vp8'] },
  ]);
});

it('calls no frame late in time that was in the cache of another track', async () => {
  const { open, pass, newest } = play();
  const carrier = open();
  carrier.frame(1, 0);
  await pass(5_000);
  carrier.say({ type: 'serving', serving: { service: 'ready', track: 1, codec: 'h264' } });
  carrier.frame(9, 0, { track: 1, captureUs: (Date.now() - 4_000) * 1_000 });
  await pass(1_100);
  expect(newest().records.framesShown).toBe(2);
  expect(newest().records.latencyP95Ms).toBeLessThan(100);
});

it('says that the network is slow when the relay does, and no longer in the next session', async () => {
  const { open, pass, newest, lose } = play();
  const carrier = open();
  carrier.frame(1, 0);
  await pass(300);
  expect(newest().slow).toBeNull();
  carrier.say({ type: 'path', narrow: true, carriesKbps: 380 });
  await pass(300);
  expect(newest().slow).toEqual({ carriesKbps: 380, told: true });
  lose();
  open();
  await pass(300);
  expect(newest().slow).toBeNull();
});

it('does not take a screen for resting while a large frame arrives', async () => {
  const { open, pass, newest } = play();
  const carrier = open();
  carrier.frame(1, 0);
  await pass();
  carrier.piece(1, 1, 100);
  for (let turn = 0; turn < 12; turn += 1) {
    await pass(250);
    carrier.more(1);
  }
  await pass(250);
  expect(newest().state.kind).toBe('live');
  await pass(1_500);
  expect(newest().state.kind, 'nothing more comes').toBe('static');
});
