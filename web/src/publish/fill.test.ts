import { afterEach, expect, it, vi } from 'vitest';
import { blackCanvas, filled } from './fill.ts';

afterEach(() => vi.unstubAllGlobals());

it('knows where the planes of a format lie, and what is black in them', () => {
  const size = { width: 4, height: 2 };
  expect(blackCanvas('I420', size, false)).toEqual({
    data: Uint8Array.of(16, 16, 16, 16, 16, 16, 16, 16, 128, 128, 128, 128),
    layout: [
      { offset: 0, stride: 4 },
      { offset: 8, stride: 2 },
      { offset: 10, stride: 2 },
    ],
  });
  expect(blackCanvas('NV12', size, true)).toEqual({
    data: Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 128, 128, 128, 128),
    layout: [
      { offset: 0, stride: 4 },
      { offset: 8, stride: 4 },
    ],
  });
  expect(blackCanvas('BGRA', { width: 2, height: 1 }, true)?.data).toEqual(
    Uint8Array.of(0, 0, 0, 255, 0, 0, 0, 255),
  );
  expect(blackCanvas('P010', size, true)).toBeNull();
});

it('puts what is left into the corner where it always was', async () => {
  const made = vi.fn();
  vi.stubGlobal('VideoFrame', made);
  const colorSpace = { matrix: 'bt709', fullRange: false };
  const source = {
    format: 'I420',
    timestamp: 5,
    colorSpace,
    /** As a browser copies: each plane's rows one below another. */
    copyTo: async (data: Uint8Array, { rect, layout }: VideoFrameCopyToOptions) => {
      const { width = 0, height = 0 } = rect ?? {};
      const [luma] = layout ?? [];
      for (let row = 0; row < height; row += 1) {
        const at = (luma?.offset ?? 0) + row * (luma?.stride ?? 0);
        data.fill(200, at, at + width);
      }
      return layout ?? [];
    },
  };
  const part = { x: 6, y: 8, width: 2, height: 2 };
  await filled(source as unknown as VideoFrame, part, { width: 4, height: 4 });
  const [data, init] = made.mock.calls[0] as [Uint8Array, VideoFrameBufferInit];
  const dark = [16, 16, 16, 16];
  expect([...data.subarray(0, 16)]).toEqual([200, 200, 16, 16, 200, 200, 16, 16, ...dark, ...dark]);
  expect(init).toMatchObject({ format: 'I420', codedWidth: 4, codedHeight: 4, colorSpace });
});

it('leaves alone what cannot be read', async () => {
  const opaque = { format: null, timestamp: 0, colorSpace: {} } as unknown as VideoFrame;
  const part = { x: 0, y: 0, width: 2, height: 2 };
  expect(await filled(opaque, part, { width: 4, height: 4 })).toBeNull();
});
