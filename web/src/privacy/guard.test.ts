import type { FrameHeader, OpenPicture } from '@steadycast/codec-glue';
import { beforeEach, describe, expect, it } from 'vitest';
import { Following } from './following.ts';
import { PictureGuard } from './guard.ts';
import { SoundGuard } from './sound-guard.ts';
import { Tenures } from './tenures.ts';

let tenures = new Tenures();
let guard = new PictureGuard(tenures);
beforeEach(() => {
  tenures = new Tenures();
  guard = new PictureGuard(tenures);
});

/** In seconds, by the host's clock, where nothing else is said. */
const atUs = ({ group, index }: { group: number; index: number }) =>
  1_000_000_000 + group * 1_000_000 + index * 33_000;

const open = (group: number, index: number, change: Partial<OpenPicture> = {}): OpenPicture => ({
  tenure: 'aa',
  track: 0,
  group,
  index,
  distance: Math.min(1, index),
  capturedUs: atUs({ group, index }),
  chunk: Uint8Array.of(1),
  ...change,
});

const header = (picture: OpenPicture, change: Partial<FrameHeader> = {}): FrameHeader => ({
  keyframe: picture.index === 0,
  refinement: false,
  sealed: true,
  track: 0,
  layer: 0,
  epoch: 9,
  group: picture.group,
  index: picture.index,
  captureUs: picture.capturedUs + 7,
  config: null,
  ...change,
});

const judge = (stream: number, picture: OpenPicture, change: Partial<FrameHeader> = {}) => {
  const judged = guard.judge(stream, header(picture, change), picture);
  return judged.kind === 'wrong' ? judged.how : judged.kind;
};

const shown = (stream: number, picture: OpenPicture, change: Partial<FrameHeader> = {}) => {
  const judged = guard.judge(stream, header(picture, change), picture);
  if (judged.kind !== 'good') throw new Error(judged.kind);
  return judged.header;
};

describe('of a group', () => {
  it('frames in order are good, one stream after another', () => {
    const judged = [open(1, 0), open(1, 1), open(1, 2)].map((one) => judge(1, one));
    expect(judged).toEqual(['good', 'good', 'good']);
    expect(judge(2, open(2, 0))).toBe('good');
  });

  it('a frame that comes again is not, nor is anything after it', () => {
    for (const index of [0, 1, 2]) judge(1, open(1, index));
    expect(judge(1, open(1, 2))).toBe('replayed');
    expect(judge(1, open(1, 3))).toBe('late');
    expect(judge(2, open(2, 0))).toBe('good');
  });

  it('a frame is missing where what it follows has not come', () => {
    judge(1, open(1, 0));
    expect(judge(1, open(1, 2))).toBe('missing');
  });

  it('frames of higher layers may be missing', () => {
    judge(1, open(1, 0));
    expect(judge(1, open(1, 4, { distance: 4 }))).toBe('good');
    expect(judge(1, open(1, 5))).toBe('good');
  });

  it.each([
    ['group', { group: 2 }],
    ['track', { track: 5 }],
  ])('a frame of another %s has no place', (_, place) => {
    judge(1, open(1, 0));
    expect(judge(1, open(1, 1, place))).toBe('misplaced');
  });

  it('a long one takes no more memory than a frame may look back', () => {
    judge(1, open(1, 0));
    for (let index = 1; index < 5_000; index += 1) expect(judge(1, open(1, index))).toBe('good');
    expect(judge(1, open(1, 5_000, { distance: 255 }))).toBe('good');
  });
});

describe('an older group', () => {
  it('that was overtaken is left', () => {
    judge(1, open(8, 0));
    expect(judge(2, open(6, 0))).toBe('late');
    expect(judge(2, open(6, 1))).toBe('late');
  });

  it('from long before is a replay', () => {
    judge(1, open(8, 0));
    expect(judge(2, open(2, 0))).toBe('replayed');
  });

  it('of another track goes its own way', () => {
    judge(1, open(8, 0));
    expect(judge(2, open(2, 0, { track: 5 }))).toBe('good');
  });

  it('that comes once more to who has gone elsewhere meanwhile is decoded, and not shown', () => {
    const last = shown(1, open(8, 0));
    shown(2, open(8, 1, { track: 5, index: 0, distance: 0, capturedUs: last.captureUs + 500_000 }));
    const again = shown(3, open(8, 0), { captureUs: last.captureUs + 9_000_000 });
    expect(again.captureUs).toBeLessThan(last.captureUs + 500_007);
    const restarted = new PictureGuard(tenures);
    expect(restarted.judge(1, header(open(8, 0)), open(8, 0)).kind).toBe('good');
  });
});

describe('a relay that lies about epochs', () => {
  it('has no say in which tenure is the newest', () => {
    expect(shown(1, open(5, 0), { epoch: 3 }).epoch).toBe(1);
    expect(shown(2, open(6, 0), { epoch: 900 }).epoch).toBe(1);
    const next = open(1, 0, { tenure: 'bb', capturedUs: atUs({ group: 7, index: 0 }) });
    expect(shown(3, next, { epoch: 3 }).epoch).toBe(2);
  });

  it('cannot bring back one that is over', () => {
    judge(1, open(1, 0));
    judge(2, open(1, 0, { tenure: 'bb', capturedUs: atUs({ group: 20, index: 0 }) }));
    expect(judge(3, open(19, 0), { epoch: 99 })).toBe('late');
    expect(judge(4, open(2, 0), { epoch: 99 })).toBe('replayed');
  });

  it('cannot bring one that is older than what was seen', () => {
    judge(1, open(100, 0));
    const recorded = open(1, 0, { tenure: 'cc', capturedUs: atUs({ group: 30, index: 0 }) });
    expect(judge(2, recorded)).toBe('replayed');
  });

  it('is not needed for a host whose clock is a little behind', () => {
    judge(1, open(100, 0));
    const next = open(1, 0, { tenure: 'cc', capturedUs: atUs({ group: 50, index: 0 }) });
    expect(judge(2, next)).toBe('good');
  });
});

describe('sound', () => {
  const frame = (sequence: number, tenure = 'aa', capturedUs = 1_000_000 + sequence * 20_000) => ({
    tenure,
    sequence,
    capturedUs,
    frame: Uint8Array.of(1),
  });

  it('of an epoch is that of its tenure', () => {
    const sound = new SoundGuard(tenures);
    expect(sound.admit(frame(1))).toBe(1);
    expect(sound.admit(frame(1, 'bb'))).toBe(2);
    expect(sound.admit(frame(2, 'aa'))).toBeNull();
  });

  it('may come in another order, and is not heard again', () => {
    const sound = new SoundGuard(tenures);
    expect([60, 58, 59].map((sequence) => sound.admit(frame(sequence)))).toEqual([1, 1, 1]);
    expect(sound.admit(frame(5))).toBeNull();
  });
});

describe('what a frame follows', () => {
  it('is the one before it where there is one layer', () => {
    const following = new Following();
    expect([0, 1, 2, 3].map((index) => following.distance(index, 0))).toEqual([0, 1, 1, 1]);
    expect(following.distance(0, 0)).toBe(0);
  });

  it('is the newest of its own layer or a lower one', () => {
    const following = new Following();
    const layers = [0, 2, 1, 2, 0, 2, 1, 2];
    const distances = layers.map((layer, index) => following.distance(index, layer));
    expect(distances).toEqual([0, 1, 2, 1, 4, 1, 2, 1]);
  });
});
