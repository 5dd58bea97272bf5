import type { FrameHeader } from '@steadycast/codec-glue';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { FrameOrder } from './order.ts';

const header = (epoch: number, group: number, index: number, track = 0): FrameHeader => ({
  keyframe: index === 0,
  refinement: false,
  sealed: false,
  track,
  layer: 0,
  epoch,
  group,
  index,
  captureUs: 0,
  config: null,
});

it('decodes a group from its keyframe on', () => {
  const order = new FrameOrder();
  expect(order.accept(1, header(1, 4, 0))).toBe('decode');
  expect(order.accept(1, header(1, 4, 1))).toBe('decode');
  expect(order.current).toMatchObject({ epoch: 1, group: 4 });
});

it('lets the newest group win, whatever still comes of the old one', () => {
  const order = new FrameOrder();
  order.accept(1, header(1, 4, 0));
  expect(order.accept(2, header(1, 5, 0))).toBe('decode');
  expect(order.accept(1, header(1, 4, 1))).toBe('late');
  expect(order.accept(3, header(1, 4, 0))).toBe('late');
  expect(order.accept(3, header(1, 4, 1))).toBe('late');
  expect(order.accept(2, header(1, 5, 1))).toBe('decode');
});

it('takes a new epoch although its groups begin again', () => {
  const order = new FrameOrder();
  order.accept(1, header(1, 90, 0));
  expect(order.accept(2, header(2, 0, 0))).toBe('decode');
  expect(order.accept(3, header(1, 91, 0))).toBe('late');
});

it('takes the same group once more from its keyframe, on the newer stream alone', () => {
  const order = new FrameOrder();
  order.accept(1, header(1, 4, 0));
  expect(order.accept(2, header(1, 4, 0))).toBe('decode');
  expect(order.accept(1, header(1, 4, 1))).toBe('late');
  expect(order.accept(2, header(1, 4, 1))).toBe('decode');
});

it('waits for a keyframe after a break', () => {
  const order = new FrameOrder();
  order.accept(1, header(1, 4, 0));
  order.break();
  expect(order.accept(1, header(1, 4, 1))).toBe('broken');
  expect(order.needsKeyframe).toBe(true);
  expect(order.accept(2, header(1, 5, 0))).toBe('decode');
  expect(order.needsKeyframe).toBe(false);
});

it('follows the relay to another track, whose groups have numbers of their own', () => {
  const order = new FrameOrder();
  order.accept(1, header(1, 90, 0));
  expect(order.accept(2, header(1, 3, 0, 1)), 'before the relay’s word').toBe('decode');
  order.serve(1);
  expect(order.accept(1, header(1, 90, 1))).toBe('late');
  expect(order.accept(3, header(1, 91, 0)), 'on its way since before').toBe('late');
  expect(order.accept(2, header(1, 3, 1, 1))).toBe('decode');
  expect(order.needsKeyframe).toBe(false);
});

it('goes on with what it has until the other track comes', () => {
  const order = new FrameOrder();
  order.accept(1, header(1, 90, 0));
  order.serve(1);
  expect(order.accept(1, header(1, 90, 1))).toBe('decode');
  expect(order.accept(2, header(1, 3, 0, 1))).toBe('decode');
  expect(order.accept(1, header(1, 90, 2))).toBe('late');
});

it('comes back to a track that it had left', () => {
  const order = new FrameOrder();
  order.accept(1, header(1, 90, 0));
  order.serve(1);
  order.accept(2, header(1, 3, 0, 1));
  order.serve(0);
  expect(order.accept(3, header(1, 92, 0))).toBe('decode');
});

it('asks again when the way back was told after its first keyframe', () => {
  const order = new FrameOrder();
  order.accept(1, header(1, 90, 0));
  order.serve(1);
  order.accept(2, header(1, 3, 0, 1));
  expect(order.accept(3, header(1, 92, 0))).toBe('late');
  order.serve(0);
  expect(order.needsKeyframe).toBe(true);
  expect(order.accept(4, header(1, 93, 0))).toBe('decode');
  expect(order.needsKeyframe).toBe(false);
});

it('takes a new epoch on any track', () => {
  const order = new FrameOrder();
  order.accept(1, header(1, 90, 0));
  order.serve(1);
  order.accept(2, header(1, 3, 0, 1));
  expect(order.accept(3, header(2, 0, 0, 1))).toBe('decode');
  expect(order.accept(4, header(1, 4, 0, 1))).toBe('late');
});

it('never decodes a frame without all that came before it in its group', () => {
  const frame = fc.record({
    stream: fc.nat(4),
    epoch: fc.nat(2),
    group: fc.nat(3),
    size: fc.nat(4),
  });
  fc.assert(
    fc.property(fc.array(frame), fc.array(fc.nat(30)), (streams, breaks) => {
      const order = new FrameOrder();
      const decoded: FrameHeader[] = [];
      const progress = new Map<number, number>();
      streams.forEach(({ stream, epoch, group }, at) => {
        if (breaks.includes(at)) order.break();
        const id = stream * 100 + epoch * 10 + group;
        const index = progress.get(id) ?? 0;
        progress.set(id, index + 1);
        const one = header(epoch, group, index);
        if (order.accept(id, one) === 'decode') decoded.push(one);
      });
      decoded.forEach((one, at) => {
        const before = decoded[at - 1];
        if (one.keyframe) return;
        expect(before).toMatchObject({ epoch: one.epoch, group: one.group, index: one.index - 1 });
      });
    }),
    { seed: 4_443 },
  );
});

it('asks for another keyframe when one that came before word of its track was overtaken', () => {
  const order = new FrameOrder();
  order.accept(1, header(1, 0, 0));
  // The small keyframe of the rendition is here before the large one that was sent before it.
  expect(order.accept(2, header(1, 0, 0, 5))).toBe('decode');
  expect(order.accept(3, header(1, 1, 0))).toBe('decode');
  expect(order.accept(2, header(1, 0, 1, 5))).toBe('late');
  expect(order.needsKeyframe).toBe(false);
  order.serve(5);
  expect(order.needsKeyframe).toBe(true);
  expect(order.accept(3, header(1, 1, 1))).toBe('broken');
  expect(order.accept(4, header(1, 1, 0, 5))).toBe('decode');
  expect(order.needsKeyframe).toBe(false);
  // Back on the main track nothing is overtaken any more.
  order.serve(0);
  expect(order.needsKeyframe).toBe(false);
  expect(order.accept(4, header(1, 1, 1, 5))).toBe('decode');
});

it('asks for nothing where the keyframe that came first is what is decoded', () => {
  const order = new FrameOrder();
  order.accept(1, header(1, 0, 0));
  order.accept(2, header(1, 0, 0, 5));
  order.serve(5);
  expect(order.needsKeyframe).toBe(false);
  // Now the other is that of a track that was left.
  expect(order.accept(3, header(1, 1, 0))).toBe('late');
  expect(order.accept(2, header(1, 0, 1, 5))).toBe('decode');
});
