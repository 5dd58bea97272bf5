import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  encodeFrame,
  type Frame,
  type FrameHeader,
  GROUP_FRAMES_MAX,
  GroupParser,
  groupPreamble,
  PAYLOAD_MAX,
} from '../src/index.ts';
import { chunked, delta, groups, join, keyframe, outcome, parseGroup } from './sample.ts';

const bytesOf = (frames: readonly Frame[]): Uint8Array =>
  join([
    groupPreamble(),
    ...frames.flatMap(({ header, payload }) => Object.values(encodeFrame(header, payload))),
  ]);
const stream = (...headers: FrameHeader[]): Uint8Array =>
  bytesOf(headers.map((header) => ({ header, payload: Uint8Array.of(1, 2, 3) })));
const sizes = fc
  .array(fc.nat(70), { minLength: 1, maxLength: 6 })
  .filter((all) => all.some(Boolean));

describe('a group', () => {
  it('comes back as it was sent, in any chunks', () => {
    fc.assert(
      fc.property(groups, sizes, (frames, sizes) => {
        expect(outcome(new GroupParser(), chunked(bytesOf(frames), sizes))).toEqual({
          values: frames,
          error: null,
        });
      }),
    );
  });

  it('of damaged bytes fails as WireError, the same in any chunks', () => {
    fc.assert(
      fc.property(groups, fc.nat(), fc.nat(255), sizes, (frames, where, byte, sizes) => {
        const bytes = bytesOf(frames);
        bytes[where % bytes.length] = byte;
        expect(outcome(new GroupParser(), chunked(bytes, sizes))).toEqual(parseGroup(bytes));
      }),
      { numRuns: 500 },
    );
  });

  it('passes the payload on without copying it', () => {
    const payload = Uint8Array.of(9);
    expect(encodeFrame(keyframe(), payload).payload).toBe(payload);
    const bytes = stream(keyframe());
    expect(parseGroup(bytes).values[0]?.payload.buffer).toBe(bytes.buffer);
  });

  it('thinned by the relay has gaps, but is still in order', () => {
    const thinned = (bytes: Uint8Array) => outcome(new GroupParser({ thinned: true }), [bytes]);
    const gapped = stream(keyframe(), delta(2), delta(5));
    expect(thinned(gapped)).toMatchObject({ values: { length: 3 }, error: null });
    expect(parseGroup(gapped).error).toBe('out_of_order');
    expect(thinned(stream(keyframe(), delta(2), delta(2))).error).toBe('out_of_order');
    expect(thinned(stream(keyframe(), delta(2), delta(1))).error).toBe('out_of_order');
  });

  it('of 4 MiB in tiny chunks is parsed within the time a test has', () => {
    const bytes = bytesOf([{ header: keyframe(), payload: new Uint8Array(PAYLOAD_MAX) }]);
    const chunks: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; at += 64) chunks.push(bytes.subarray(at, at + 64));
    const { values } = outcome(new GroupParser(), chunks);
    expect(values[0]?.payload.length).toBe(PAYLOAD_MAX);
  });
});

describe('a group in error', () => {
  const code = (bytes: Uint8Array) => parseGroup(bytes).error;
  const patched = (at: number, ...bytes: number[]): Uint8Array => {
    const whole = stream(keyframe());
    whole.set(bytes, 1 + at);
    return whole;
  };

  it.each([
    ['another first byte', Uint8Array.of(0x48), 'malformed'],
    ['no frame', groupPreamble(), 'malformed'],
    ['a frame cut short', stream(keyframe()).subarray(0, -1), 'malformed'],
    ['unknown flags', patched(0, 9), 'malformed'],
    ['more unknown flags', patched(0, 13), 'malformed'],
    ['a seventeenth track', patched(1, 16), 'malformed'],
    ['a layer above 7', patched(2, 8), 'malformed'],
    ['a time beyond 2^53', patched(16, 0, 0x20), 'malformed'],
    ['no payload', patched(24, 0, 0, 0, 0), 'malformed'],
    ['a payload above 4 MiB', patched(24, 0, 0x40, 0, 1), 'too_large'],
    ['a config above 4096', patched(28, 0x10, 1), 'too_large'],
    ['a keyframe without config', patched(28, 0, 0), 'malformed'],
    ['a delta with config', patched(0, 0), 'malformed'],
    ['a picture without width', patched(30, 0, 0), 'malformed'],
    ['a picture too wide', patched(30, 0x20, 1), 'too_large'],
    ['a codec that is not printable', patched(35, 7), 'malformed'],
    ['lengths that do not add up', patched(34, 4), 'malformed'],
    ['a delta first', stream(delta(0)), 'out_of_order'],
    ['a gap', stream(keyframe(), delta(2)), 'out_of_order'],
    ['a frame of another group', stream(keyframe(), delta(1, { group: 2 })), 'out_of_order'],
    ['a frame of another epoch', stream(keyframe(), delta(1, { epoch: 2 })), 'out_of_order'],
    ['a frame of another track', stream(keyframe(), delta(1, { track: 1 })), 'out_of_order'],
    ['a second keyframe', stream(keyframe(), keyframe({ index: 1 })), 'out_of_order'],
    ['a time that falls', stream(keyframe(), delta(1, { captureUs: 5 })), 'out_of_order'],
  ])('%s', (_, bytes, expected) => expect(code(bytes)).toBe(expected));

  it('is refused at its header, before the payload is there', () => {
    expect(() => {
      const parser = new GroupParser();
      parser.push(patched(24, 0xff, 0xff, 0xff, 0xff).subarray(0, 31));
      parser.next();
    }).toThrow('payload of 4294967295 bytes');
  });

  it('has more than 20,000 frames', () => {
    const frames = Array.from({ length: GROUP_FRAMES_MAX + 1 }, (_, index) =>
      index === 0 ? keyframe() : delta(index),
    );
    const { values, error } = parseGroup(stream(...frames));
    expect([values.length, error]).toEqual([GROUP_FRAMES_MAX, 'too_large']);
  });

  it('has more than 32 MiB', () => {
    const parser = new GroupParser();
    const payload = new Uint8Array(PAYLOAD_MAX);
    parser.push(groupPreamble());
    const feed = (index: number) => {
      const frame = encodeFrame(index === 0 ? keyframe() : delta(index), payload);
      parser.push(frame.head);
      parser.push(frame.payload);
      return parser.next();
    };
    for (let index = 0; index < 7; index += 1) expect(feed(index)).not.toBeNull();
    expect(() => feed(7)).toThrow('group of');
  });
});

describe('encoding a frame', () => {
  const payload = Uint8Array.of(1);

  it('refuses what no relay would take', () => {
    expect(() => encodeFrame(keyframe({ config: null }), payload)).toThrow('config');
    expect(() => encodeFrame(delta(1, { config: keyframe().config }), payload)).toThrow('config');
    expect(() => encodeFrame(keyframe({ layer: 8 }), payload)).toThrow('layer');
    expect(() => encodeFrame(keyframe(), new Uint8Array(0))).toThrow('payload');
  });
});
