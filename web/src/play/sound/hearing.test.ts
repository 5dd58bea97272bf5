import { type ClientMessage, encodeSound, type SoundPacket } from '@steadycast/codec-glue';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { RelayClock } from '../../session/index.ts';
import { VirtualTime } from '../fake-path.ts';
import type { SoundDecoderLike } from './decoder.ts';
import { Hearing } from './hearing.ts';
import type { FromWorklet, ToWorklet } from './messages.ts';
import { samplesOf } from './samples.ts';

const FORMAT = { codec: 'opus', channels: 2 } as const;
const STANDING: FromWorklet = {
  standing: { frame: 48_000, behind: samplesOf(50), spare: 0 },
  counts: { played: 48_000, concealed: 480, gaps: 1, late: 0 },
};

class FakePort {
  readonly told: ToWorklet[] = [];
  onmessage: ((event: { data: FromWorklet }) => void) | null = null;
  closed = false;
  postMessage(message: ToWorklet): void {
    this.told.push(message);
  }
  close(): void {
    this.closed = true;
  }
}

/** Gives 20 ms for each frame at once, and breaks at frames that are told to. */
class FakeDecoder implements SoundDecoderLike {
  state: CodecState = 'configured';
  decodeQueueSize = 0;
  readonly #init: AudioDecoderInit;
  constructor(init: AudioDecoderInit) {
    this.#init = init;
  }
  configure(): void {}
  decode(chunk: EncodedAudioChunk): void {
    const { data } = chunk as unknown as { data: Uint8Array };
    if (data[1] === 99) {
      this.state = 'closed';
      this.#init.error(new DOMException('no'));
      return;
    }
    const decoded = { numberOfChannels: 2, numberOfFrames: 960, copyTo: () => undefined };
    this.#init.output({ ...decoded, close: () => undefined } as unknown as AudioData);
  }
  close(): void {
    this.state = 'closed';
  }
}

let time = new VirtualTime();
let port = new FakePort();
let delays: (number | null)[] = [];
let pictureUs: number | null = null;
let said: ClientMessage[] = [];
let deliver: (bytes: Uint8Array) => void = () => undefined;
let hearing: Hearing;

beforeEach(() => {
  vi.stubGlobal(
    'EncodedAudioChunk',
    class {
      constructor(init: EncodedAudioChunkInit) {
        Object.assign(this, init);
      }
    },
  );
  time = new VirtualTime();
  port = new FakePort();
  delays = [];
  said = [];
  pictureUs = null;
  hearing = new Hearing({
    port: port as unknown as MessagePort,
    isPrivate: () => false,
    open: () => Promise.resolve(null),
    pictureUs: () => pictureUs,
    onDelay: (us) => delays.push(us),
    timers: time,
    createDecoder: (init) => new FakeDecoder(init),
  });
  hearing.format = FORMAT;
});
afterEach(() => vi.unstubAllGlobals());

function attach(): void {
  hearing.attach({
    clock: new RelayClock({ sentUs: 0, receivedUs: 0, relayUs: 0 }),
    send: (message) => said.push(message),
    onDatagram: (listener) => {
      deliver = listener ?? (() => undefined);
    },
  });
}

const packet = (sequence: number, change: Partial<SoundPacket> = {}) =>
  deliver(
    encodeSound({
      begins: false,
      sealed: false,
      epoch: 1,
      sequence,
      captureUs: 1_000_000 + sequence * 20_000,
      repeats: [],
      frame: Uint8Array.of(0b11111_0_00, 1),
      ...change,
    }),
  );

/** The first of an epoch, and as many more. */
const open = (count: number, epoch = 1) => {
  packet(1, { epoch, begins: true });
  for (let sequence = 2; sequence <= count; sequence += 1) packet(sequence, { epoch });
};

const chunks = () => port.told.flatMap((one) => (one.type === 'chunk' ? [one.chunk] : []));

it('says that it listens in every session, and that it does not any more', () => {
  attach();
  hearing.detach();
  attach();
  hearing.close();
  expect(said).toEqual([
    { type: 'listen', on: true },
    { type: 'listen', on: true },
    { type: 'listen', on: false },
  ]);
  expect(port.closed).toBe(true);
});

it('has decoded sound at its place, and begins anew with another epoch and another session', () => {
  attach();
  open(2);
  packet(4);
  packet(1, { epoch: 2, begins: true, captureUs: 1_200_000 });
  expect(chunks().map(({ start, restart }) => [start, restart])).toEqual([
    [0, true],
    [960, false],
    [2_880, false],
    [samplesOf(180), true],
  ]);
  expect(hearing.records).toMatchObject({ framesReceived: 4, framesLost: 1 });
});

it('plays what a decoder that begins in the middle gives once it has found its way', () => {
  attach();
  for (let sequence = 10; sequence < 17; sequence += 1) packet(sequence);
  const heard = chunks().map(({ start, begins, restart }) => [start, begins, restart]);
  expect(heard).toEqual([
    [4 * 960, true, true],
    [5 * 960, false, false],
    [6 * 960, false, false],
  ]);
  attach();
  for (let sequence = 20; sequence < 25; sequence += 1) packet(sequence);
  expect(chunks().slice(3)).toMatchObject([{ start: 14 * 960, restart: true }]);
});

it('plays nothing of what was when the broadcast has no sound any more', () => {
  attach();
  open(1);
  hearing.format = null;
  packet(2);
  expect(port.told.map(({ type }) => type)).toEqual(['chunk', 'quiet']);
  hearing.format = FORMAT;
  for (let sequence = 3; sequence < 8; sequence += 1) packet(sequence);
  expect(chunks().map(({ restart }) => restart)).toEqual([true, true]);
});

it('goes on with the next frame when one cannot be decoded, or is none', () => {
  attach();
  open(1);
  packet(2, { frame: Uint8Array.of(0b11111_0_00, 99) });
  deliver(Uint8Array.of(1, 0xff));
  deliver(Uint8Array.of(0, 0, 0));
  packet(3);
  expect(chunks().map(({ start }) => start)).toEqual([0, 1_920]);
  expect(hearing.records.malformed).toBe(1);
});

it('tells how late sound is heard, and has it wait for a picture that is later', () => {
  attach();
  open(1);
  // What was captured at 1.02 s was the line's first sample; the browser's is heard at 0.05 s.
  hearing.heard({ frame: 0, localUs: 50_000 });
  port.onmessage?.({ data: STANDING });
  const delayUs = 1_050_000 - (1_020_000 + 1_000_000 - 50_000);
  expect(delays.at(-1)).toBeCloseTo(delayUs);
  expect(port.told.at(-1)).toEqual({ type: 'least', samples: null });
  pictureUs = delayUs + 20_000;
  port.onmessage?.({ data: STANDING });
  expect(port.told.at(-1)).toEqual({ type: 'least', samples: samplesOf(70) });
});

it('leaves the picture as it is in pauses of speech, and lets go of it after a while', () => {
  attach();
  open(1);
  hearing.heard({ frame: 0, localUs: 50_000 });
  port.onmessage?.({ data: STANDING });
  const silent = { ...STANDING, standing: { ...STANDING.standing, behind: null } };
  time.runUntil(2_000);
  port.onmessage?.({ data: silent });
  expect(delays).not.toContain(null);
  time.runUntil(4_000);
  port.onmessage?.({ data: silent });
  expect(delays.at(-1)).toBeNull();
});
