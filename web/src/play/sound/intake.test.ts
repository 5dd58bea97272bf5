import type { SoundPacket } from '@steadycast/codec-glue';
import { beforeEach, describe, expect, it } from 'vitest';
import { type SoundFrame, SoundIntake } from './intake.ts';

/** An Opus frame of 20 ms; its last byte says which. */
const frame = (sequence: number) => Uint8Array.of(0b11111_0_00, 1, sequence);

const packet = (sequence: number, change: Partial<SoundPacket> = {}): SoundPacket => ({
  begins: false,
  sealed: false,
  epoch: 1,
  sequence,
  captureUs: sequence * 20_000,
  repeats: [],
  frame: frame(sequence),
  ...change,
});
const repeating = (sequence: number, count: number) =>
  packet(sequence, {
    repeats: Array.from({ length: count }, (_, at) => frame(sequence - count + at)),
  });
const named = (frames: readonly SoundFrame[]) => frames.map(({ bytes }) => bytes[2]);

let intake = new SoundIntake();
beforeEach(() => {
  intake = new SoundIntake();
});
const takes = (...packets: SoundPacket[]) => packets.map((one) => named(intake.take(one, 0)));

it('begins with the newest frame that comes, and goes on in order', () => {
  const [first] = intake.take(repeating(10, 2), 0);
  expect(first).toMatchObject({ restart: true, begins: true, lost: 0, captureUs: 200_000 });
  const [second] = intake.take(packet(11), 0);
  expect(second).toMatchObject({ restart: false, begins: false, lost: 0, durationUs: 20_000 });
});

describe('what is lost', () => {
  it('is taken from the repeats of what follows, with its own time', () => {
    intake.take(packet(1), 0);
    const frames = intake.take(repeating(4, 2), 0);
    expect(named(frames)).toEqual([2, 3, 4]);
    expect(frames.map(({ captureUs }) => captureUs)).toEqual([40_000, 60_000, 80_000]);
    expect(intake.counts).toMatchObject({ repaired: 2, lost: 0, received: 2 });
  });

  it('is given up at once where there is no time to wait', () => {
    intake.take(packet(1), 0);
    const [frame] = intake.take(packet(4), 0);
    expect(frame).toMatchObject({ lost: 2, begins: false });
    expect(intake.counts).toMatchObject({ lost: 2, late: 0 });
    expect(takes(packet(3))).toEqual([[]]);
    expect(intake.counts.late).toBe(1);
  });

  it('is waited for while there is time, and so what comes out of turn is none', () => {
    intake.spareMs = 25;
    expect(takes(packet(1), packet(3), packet(2), packet(4))).toEqual([[1], [], [2, 3], [4]]);
    expect(intake.counts.lost).toBe(0);
    expect(intake.dueMs).toBeNull();
    intake.take(packet(6), 100);
    expect(intake.dueMs).toBe(125);
    expect(named(intake.due(124))).toEqual([]);
    expect(named(intake.due(125))).toEqual([6]);
    expect(intake.dueMs).toBeNull();
  });

  it('is not waited for by more than a few', () => {
    intake.spareMs = 1_000;
    intake.take(packet(1), 0);
    const waited = Array.from({ length: 9 }, (_, at) => intake.take(packet(3 + at), 0));
    expect(named(waited.flat())).toEqual([3, 4, 5, 6, 7, 8, 9, 10, 11]);
  });
});

it('goes on behind a silence that was not sent without missing anything', () => {
  intake.take(packet(1), 0);
  const [frame] = intake.take(packet(40, { begins: true }), 0);
  expect(frame).toMatchObject({ begins: true, lost: 0, restart: false });
  expect(intake.counts.lost).toBe(0);
});

it('begins anew with a newer epoch, and takes nothing of an older one', () => {
  intake.take(packet(7), 0);
  const [frame] = intake.take(packet(1, { epoch: 2, begins: true }), 0);
  expect(frame).toMatchObject({ epoch: 2, restart: true });
  expect(takes(packet(8), packet(2, { epoch: 2 }))).toEqual([[], [2]]);
  expect(intake.counts).toMatchObject({ late: 1, lost: 0 });
});

it('hears each frame once, however often it comes', () => {
  expect(takes(packet(1), packet(2), packet(2), repeating(3, 2), repeating(3, 2)).flat()).toEqual([
    1, 2, 3,
  ]);
});

it('passes over what is no Opus', () => {
  intake.take(packet(1), 0);
  expect(takes(packet(2, { frame: Uint8Array.of(0b11111_0_11) }))).toEqual([[]]);
});
