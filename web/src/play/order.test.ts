import type { FrameHeader } from '@steadycast/codec-glue';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { FrameOrder } from './order.ts';

const header = (epoch: number, group: number, index: number): FrameHeader => ({
  keyframe: index === 0,
  refinement: false,
  track: 0,
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
