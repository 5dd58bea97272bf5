import { encodeFrame, type FrameHeader, type Status } from '@steadycast/codec-glue';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { localUs } from '../../session/clock.ts';
import type { ConnectionState } from '../../session/reconnect.ts';
import type { Carrier } from '../carrier.ts';
import { readGroups } from '../intake.ts';
import { CarriedSessions } from './carried-sessions.ts';
import type { CarriedAnswer, EncodedFrame, Transformed } from './words.ts';

const STATUS: Status = { phase: 'live', sinceUs: 5, epoch: 3, players: 0 };

/** A receiver of the page's, which brings what the test gives it. */
function receiver(session: number, media: Transformed['media']) {
  const { readable, writable } = new TransformStream<EncodedFrame, EncodedFrame>(
    {},
    { highWaterMark: 100 },
    { highWaterMark: 100 },
  );
  const writer = writable.getWriter();
  const give = (bytes: number[] | Uint8Array) =>
    void writer.write({ data: new Uint8Array(bytes).buffer });
  return { transformer: { readable, options: { session, media } }, give };
}

const HEADER: FrameHeader = {
  keyframe: true,
  refinement: false,
  sealed: true,
  track: 0,
  layer: 0,
  epoch: 3,
  group: 7,
  index: 0,
  captureUs: 9,
  config: { width: 640, height: 360, codec: 'vp8', description: new Uint8Array(), colour: null },
};

/** A frame as RTP brings it. */
function carried(number: number, index: number): number[] {
  const keyframe = index === 0;
  const header = { ...HEADER, keyframe, index, config: keyframe ? HEADER.config : null };
  const { head, payload } = encodeFrame(header, new Uint8Array([index, 1, 2]));
  const before = keyframe ? [0x10, 0, 0, 0x9d, 1, 0x2a, 0, 0, 0, 0] : [0x11, 0, 0];
  return [...before, 0x80 | (number >> 8), number & 0xff, ...head, ...payload];
}

/** A player's worker that has begun. */
function worker() {
  const answers: CarriedAnswer[] = [];
  const states: ConnectionState<Carrier>[] = [];
  const abort = new AbortController();
  const sessions = new CarriedSessions((answer) => answers.push(answer));
  const connect = () =>
    sessions.connect({
      origin: 'https://relay.example',
      role: 'player',
      token: '',
      agent: '',
      signal: abort.signal,
      onState: (state) => states.push(state),
    });
  const open = (session: number) => {
    const us = localUs();
    const clock = { sentUs: us, receivedUs: us, relayUs: us + 1_000_000 };
    sessions.hear({ kind: 'open', session, broadcast: 'table', clock, status: STATUS });
    const state = states.at(-1);
    if (state?.kind !== 'open') throw new Error('no session');
    return state.session;
  };
  return { answers, states, abort, sessions, connect, open };
}

/** The indexes of frames that a carrier brings, by stream. */
function reading(carrier: Carrier) {
  const read: [number, number][] = [];
  const broken: number[] = [];
  void readGroups(carrier, {
    onFrame: (stream, { header }) => {
      read.push([stream, header.index]);
      return null;
    },
    onBytes: () => undefined,
    onSkip: () => undefined,
    onBroken: (stream) => broken.push(stream),
  });
  return { read, broken };
}

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

it('is a session like any other, with what came before it was open', async () => {
  const { sessions, connect, open } = worker();
  void connect();
  const video = receiver(1, 'video');
  sessions.transform(video.transformer);
  sessions.hear({
    kind: 'said',
    session: 1,
    message: { type: 'sound', sound: { codec: 'opus', channels: 2 } },
  });
  video.give(carried(1, 0));
  video.give(carried(2, 1));
  await vi.advanceTimersByTimeAsync(10);
  const session = open(1);
  expect(session.welcome).toMatchObject({ broadcast: 'table', session: 1, status: STATUS });
  const { read } = reading(session);
  const said: string[] = [];
  session.onMessage(({ type }) => said.push(type));
  await vi.advanceTimersByTimeAsync(10);
  expect(read).toEqual([
    [1, 0],
    [1, 1],
  ]);
  expect(said).toEqual(['sound']);
  expect(Math.abs(session.clock.nowUs() - localUs() - 1_000_000)).toBeLessThan(100_000);
});

it('has each keyframe begin a stream, and gives one up of which a frame never comes', async () => {
  const { sessions, connect, open } = worker();
  void connect();
  const video = receiver(1, 'video');
  sessions.transform(video.transformer);
  const { read, broken } = reading(open(1));
  for (const [number, index] of [
    [1, 0],
    [2, 0],
    [4, 2],
  ] as const) {
    video.give(carried(number, index));
  }
  await vi.advanceTimersByTimeAsync(500);
  expect(broken).toEqual([]);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(broken).toEqual([2]);
  video.give(carried(5, 3));
  video.give(carried(6, 0));
  await vi.advanceTimersByTimeAsync(10);
  expect(read).toEqual([
    [1, 0],
    [2, 0],
    [3, 0],
  ]);
});

it('passes datagrams of sound on, and over what nobody has carried', async () => {
  const { sessions, connect, open } = worker();
  void connect();
  const [video, audio] = [receiver(1, 'video'), receiver(1, 'audio')];
  sessions.transform(video.transformer);
  sessions.transform(audio.transformer);
  const session = open(1);
  const { read } = reading(session);
  const heard: number[][] = [];
  session.onDatagram((bytes) => heard.push([...bytes]));
  audio.give([1, 2, 3]);
  video.give([0x10]);
  video.give([0x11, 0, 0, 0, 1, 2]);
  video.give(carried(1, 0));
  await vi.advanceTimersByTimeAsync(10);
  expect(heard).toEqual([[1, 2, 3]]);
  expect(read).toEqual([[1, 0]]);
});

it('tells the page how many frames came, and what the player says of the session that is open', async () => {
  const { sessions, connect, open, answers } = worker();
  void connect();
  const video = receiver(1, 'video');
  sessions.transform(video.transformer);
  const first = open(1);
  video.give(carried(1, 0));
  video.give(carried(2, 1));
  await vi.advanceTimersByTimeAsync(1_000);
  expect(answers).toEqual([{ kind: 'frames', session: 1, frames: 2 }]);
  const request = { type: 'keyframeRequest', epoch: 3, group: 7 } as const;
  first.send(request);
  expect(answers.at(-1)).toEqual({ kind: 'say', message: request });
  const second = open(2);
  first.send(request);
  expect(answers).toHaveLength(2);
  second.send(request);
  expect(answers).toHaveLength(3);
});

it('knows for how long nothing was heard, in the time that HTTP takes', async () => {
  const { sessions, connect, open } = worker();
  void connect();
  const session = open(1);
  await vi.advanceTimersByTimeAsync(1_500);
  expect(session.silentMs).toBeLessThan(1_000);
  await vi.advanceTimersByTimeAsync(500);
  expect(session.silentMs).toBeGreaterThan(1_000);
  sessions.hear({ kind: 'roundTrip', session: 1, ms: 30 });
  expect(session.silentMs).toBeGreaterThan(1_000);
  sessions.hear({ kind: 'heard', session: 1 });
  expect(session.silentMs).toBe(0);
  expect(session.rttUs).toBe(30_000);
});

it('follows the page from session to session, and ends with its refusal or when it is left', async () => {
  const { sessions, connect, open, states, abort } = worker();
  const lost = { kind: 'lost', reason: '', retryInMs: 1, handshakes: 0, why: 'broken' } as const;
  sessions.hear({ kind: 'state', state: { kind: 'connecting', attempt: 1 } });
  const over = connect();
  open(1);
  sessions.hear({ kind: 'state', state: lost });
  open(2);
  expect(states.map(({ kind }) => kind)).toEqual(['connecting', 'open', 'lost', 'open']);
  const refused = { kind: 'refused', code: 'revoked', message: '' } as const;
  sessions.hear({ kind: 'state', state: refused });
  await expect(over).resolves.toEqual(refused);
  const other = worker();
  const left = other.connect();
  other.abort.abort();
  abort.abort();
  await expect(left).resolves.toBeNull();
});
