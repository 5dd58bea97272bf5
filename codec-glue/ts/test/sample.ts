import fc from 'fast-check';
import { MATRICES, PRIMARIES, TRANSFERS } from '../src/colour.ts';
import {
  type ClientMessage,
  CODEC_KINDS,
  type Frame,
  type FrameHeader,
  GroupParser,
  PLACE_MAX,
  PLACES_MAX,
  RENDITION_CODECS,
  type RelayMessage,
  SERVICES,
  SOUND_CODECS,
  SOUND_REPEATS_MAX,
  type SoundPacket,
  TRACK_MAX,
  trackOf,
  WireError,
} from '../src/index.ts';

// The same cases in every run; a failure prints the path to its own.
fc.configureGlobal({ seed: 4_443 });

const u16 = fc.nat(0xffff);
const u32 = fc.nat(0xffff_ffff);
const u64 = fc.maxSafeNat();
/** Well-formed text: a lone surrogate has no UTF-8. */
const text = (max: number) => fc.string({ unit: 'grapheme', maxLength: Math.floor(max / 32) });
const lineage = fc.option(fc.uint8Array({ minLength: 16, maxLength: 16 }));
const status = fc.record({
  phase: fc.constantFrom('waiting' as const, 'live' as const, 'held' as const),
  sinceUs: u64,
  epoch: u32,
  players: u32,
});

const format = fc.option(
  fc.record({ codec: fc.constantFrom(...SOUND_CODECS), channels: fc.integer({ min: 1, max: 2 }) }),
);

const soundFrame = fc.uint8Array({ minLength: 1, maxLength: 300 });
/** A datagram with sound, as its publisher sends it. */
export const soundPackets: fc.Arbitrary<SoundPacket> = fc
  .record({
    begins: fc.boolean(),
    sealed: fc.boolean(),
    epoch: u32,
    sequence: u32,
    captureUs: u64,
    repeats: fc.array(soundFrame, { maxLength: SOUND_REPEATS_MAX }),
    frame: soundFrame,
  })
  .map((packet) => ({ ...packet, repeats: packet.begins ? [] : packet.repeats }));

export const clientMessages: fc.Arbitrary<ClientMessage> = fc.oneof(
  fc.record({
    type: fc.constant('hello' as const),
    version: u16,
    role: fc.constantFrom('publisher' as const, 'player' as const),
    token: text(4_096),
    agent: text(128),
    resume: lineage,
  }),
  fc.record({ type: fc.constant('ping' as const), sequence: u32, sentUs: u64 }),
  fc.record({ type: fc.constant('goodbye' as const), code: u16, message: text(256) }),
  fc.record({ type: fc.constant('keyframeRequest' as const), epoch: u32, group: u32 }),
  fc.record({
    type: fc.constant('report' as const),
    received: u64,
    decoded: u64,
    shown: u64,
    black: u64,
    decoderErrors: u32,
    latencyUs: u32,
  }),
  fc.record({ type: fc.constant('decodes' as const), codecs: fc.subarray([...CODEC_KINDS]) }),
  fc.record({
    type: fc.constant('renditionRefused' as const),
    track: fc.integer({ min: 1, max: TRACK_MAX }),
    reason: text(256),
  }),
  fc.record({
    type: fc.constant('pause' as const),
    from: fc
      .tuple(u32, fc.subarray([...Array(TRACK_MAX).keys()]))
      .map(([group, others]) =>
        [0, ...others.map((other) => other + 1)].map((track) => ({ track, group })),
      ),
  }),
  fc.record({ type: fc.constant('continue' as const) }),
  fc.record({ type: fc.constant('sound' as const), sound: format }),
  fc.record({ type: fc.constant('listen' as const), on: fc.boolean() }),
);

export const relayMessages: fc.Arbitrary<RelayMessage> = fc.oneof(
  fc.record({
    type: fc.constant('welcome' as const),
    version: u16,
    session: u64,
    broadcast: text(128),
    resume: lineage,
    heartbeatMs: u32,
    relayUs: u64,
    status,
  }),
  fc.record({ type: fc.constant('pong' as const), sequence: u32, sentUs: u64, relayUs: u64 }),
  fc.record({ type: fc.constant('status' as const), status }),
  fc.record({ type: fc.constant('keyframeRequest' as const), track: fc.nat(TRACK_MAX) }),
  fc.record({
    type: fc.constant('goodbye' as const),
    code: u16,
    message: text(256),
    retryAfterMs: fc.option(u32),
  }),
  fc.record({
    type: fc.constant('renditions' as const),
    wanted: fc
      .tuple(fc.subarray([...RENDITION_CODECS]), u32)
      .map(([codecs, players]) =>
        codecs.map((codec) => ({ track: trackOf(codec), codec, players })),
      ),
  }),
  fc.record({
    type: fc.constant('tracks' as const),
    wanted: fc
      .tuple(
        fc.subarray(Array.from({ length: TRACK_MAX }, (_, place) => place + 1)),
        fc.constantFrom(...CODEC_KINDS),
        fc.option(u32),
        u32,
      )
      .map(([tracks, codec, maxKbps, players]) =>
        tracks.map((track) => ({ track, kind: 'video' as const, codec, maxKbps, players })),
      ),
  }),
  fc.record({
    type: fc.constant('serving' as const),
    serving: fc.record({
      service: fc.constantFrom(...SERVICES),
      track: fc.nat(TRACK_MAX),
      codec: fc.option(fc.constantFrom(...CODEC_KINDS)),
    }),
  }),
  fc.record({
    type: fc.constant('path' as const),
    narrow: fc.boolean(),
    carriesKbps: fc.option(u32),
  }),
  fc.record({ type: fc.constant('arrived' as const), bytes: u64, relayUs: u64 }),
  fc.record({
    type: fc.constant('relays' as const),
    relays: fc.array(text(PLACE_MAX), { maxLength: PLACES_MAX }),
  }),
  fc.record({ type: fc.constant('move' as const), withinMs: u32 }),
  fc.record({ type: fc.constant('sound' as const), sound: format }),
  fc.record({
    type: fc.constant('listeners' as const),
    players: u32,
    repeat: fc.nat(SOUND_REPEATS_MAX),
  }),
);

/** A message that only a later version knows, and that may be skipped. */
export const strangers: fc.Arbitrary<Uint8Array> = fc
  .tuple(fc.integer({ min: 68, max: 250 }), fc.uint8Array({ maxLength: 40 }))
  .map(([variant, rest]) => Uint8Array.of(0, 1 + rest.length, variant, ...rest));

const config = fc.record({
  width: fc.integer({ min: 1, max: 8_192 }),
  height: fc.integer({ min: 1, max: 8_192 }),
  codec: fc.string({ minLength: 1, maxLength: 255 }),
  description: fc.uint8Array({ maxLength: 40 }),
  colour: fc.option(
    fc.record({
      primaries: fc.constantFrom(...PRIMARIES),
      transfer: fc.constantFrom(...TRANSFERS),
      matrix: fc.constantFrom(...MATRICES),
      fullRange: fc.boolean(),
    }),
  ),
});

/** A whole group, keyframe first, as its publisher sends it. */
export const groups: fc.Arbitrary<Frame[]> = fc
  .record({
    epoch: u32,
    group: u32,
    startUs: fc.nat(2 ** 52),
    config,
    track: fc.nat(TRACK_MAX),
    frames: fc.array(
      fc.record({
        refinement: fc.boolean(),
        sealed: fc.boolean(),
        layer: fc.nat(7),
        stepUs: fc.nat(100_000),
        payload: fc.uint8Array({ minLength: 1, maxLength: 60 }),
      }),
      { minLength: 1, maxLength: 8 },
    ),
  })
  .map(({ epoch, group, startUs, config, track, frames }) => {
    let captureUs = startUs;
    return frames.map(({ refinement, sealed, layer, stepUs, payload }, index) => {
      captureUs += stepUs;
      const keyframe = index === 0;
      const header = { keyframe, refinement, sealed, track, layer, epoch, group, index, captureUs };
      return { header: { ...header, config: keyframe ? config : null }, payload };
    });
  });

export function keyframe(over: Partial<FrameHeader> = {}): FrameHeader {
  return {
    keyframe: true,
    refinement: false,
    sealed: false,
    track: 0,
    layer: 0,
    epoch: 1,
    group: 1,
    index: 0,
    captureUs: 1_700_000_000_000_000,
    config: {
      width: 1280,
      height: 720,
      codec: 'vp8',
      description: new Uint8Array(0),
      colour: null,
    },
    ...over,
  };
}

export function delta(index: number, over: Partial<FrameHeader> = {}): FrameHeader {
  return keyframe({ keyframe: false, index, config: null, ...over });
}

export function join(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

/** Cuts `bytes` into chunks of the given sizes, over and over; sizes of 0 are chunks too. */
export function chunked(bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
    const size = turn < 10_000 ? (sizes[turn % sizes.length] ?? 1) : bytes.length;
    chunks.push(bytes.slice(at, at + size));
    at += size;
  }
  return chunks;
}

interface Parser<T> {
  push(chunk: Uint8Array): void;
  next(): T | null;
  finish(): void;
}

/** Everything a parser makes of the chunks: values, then the code it failed with, if it did. */
export function outcome<T>(
  parser: Parser<T>,
  chunks: readonly Uint8Array[],
): { values: T[]; error: string | null } {
  const values: T[] = [];
  try {
    for (const chunk of chunks) {
      parser.push(chunk);
      for (let value = parser.next(); value !== null; value = parser.next()) values.push(value);
    }
    parser.finish();
    return { values, error: null };
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    return { values, error: error.code };
  }
}

export function parseGroup(bytes: Uint8Array): { values: Frame[]; error: string | null } {
  return outcome(new GroupParser(), [bytes]);
}
