import { expect, it } from 'vitest';
import { narrowed } from './narrow.ts';
import { DEFAULT_QUALITY } from './quality.ts';

it('sends fewer pictures before coarser ones, and never smaller ones', () => {
  const rates = [1_000, 800, 400, 200].map((kbps) => narrowed(DEFAULT_QUALITY, kbps));
  expect(rates.map(({ frameRate }) => frameRate)).toEqual([22, 18, 10, 10]);
  expect(rates.map(({ bitrate }) => bitrate)).toEqual([800_000, 640_000, 320_000, 160_000]);
  for (const { resolution } of rates) expect(resolution).toBe(DEFAULT_QUALITY.resolution);
});

it('keeps movement where that is what the admin wants', () => {
  const smooth = { ...DEFAULT_QUALITY, favour: 'smooth' } as const;
  const rates = [1_000, 400, 200].map((kbps) => narrowed(smooth, kbps).frameRate);
  expect(rates).toEqual([30, 20, 20]);
});

it('asks for no more than the admin does, and for no less than encoders take', () => {
  expect(narrowed(DEFAULT_QUALITY, 20_000)).toEqual(DEFAULT_QUALITY);
  expect(narrowed({ ...DEFAULT_QUALITY, frameRate: 5 }, 1_000).frameRate).toBe(5);
  expect(narrowed(DEFAULT_QUALITY, 1).bitrate).toBe(100_000);
});
