import { expect, it } from 'vitest';
import type { SoundFrame } from './intake.ts';
import { SoundLine } from './line.ts';

const frame = (captureUs: number, change: Partial<SoundFrame> = {}): SoundFrame => ({
  epoch: 1,
  captureUs,
  durationUs: 20_000,
  lost: 0,
  begins: false,
  restart: false,
  opens: false,
  bytes: new Uint8Array(3),
  ...change,
});

it('puts frames one behind the other, whatever their times say', () => {
  const line = new SoundLine();
  expect(line.place(frame(1_000_000, { begins: true }))).toBe(0);
  expect(line.place(frame(1_020_003))).toBe(960);
  expect(line.place(frame(1_039_990, { durationUs: 10_000 }))).toBe(1_920);
  expect(line.place(frame(1_050_000))).toBe(2_400);
  // The newest frame's time is what the others are told by.
  expect(line.captureUs(2_400)).toBeCloseTo(1_050_000);
  expect(line.captureUs(1_440)).toBeCloseTo(1_030_000);
});

it('leaves room for what is lost, and for silence that was not sent', () => {
  const line = new SoundLine();
  line.place(frame(0, { begins: true }));
  expect(line.place(frame(60_000, { lost: 2 }))).toBe(960 * 3);
  expect(line.place(frame(1_080_000, { begins: true }))).toBe(960 * 54);
  expect(line.captureUs(960 * 54)).toBeCloseTo(1_080_000);
});

it('has another publisher where its time is, which may be before the last one’s end', () => {
  const line = new SoundLine();
  line.place(frame(1_000_000, { begins: true }));
  expect(line.place(frame(990_000, { epoch: 2, begins: true, restart: true }))).toBe(-480);
});
