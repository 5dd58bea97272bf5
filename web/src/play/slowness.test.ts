import { expect, it } from 'vitest';
import { Slowness } from './slowness.ts';

it('says nothing of a path that carries the picture', () => {
  const slowness = new Slowness();
  for (let ms = 0; ms < 60_000; ms += 250) expect(slowness.at(ms, 120)).toBeNull();
});

it("passes the relay's word on at once, and for a while after it was taken back", () => {
  const slowness = new Slowness();
  slowness.told({ narrow: true, carriesKbps: 400 });
  expect(slowness.at(0, 100)).toEqual({ carriesKbps: 400, told: true });
  slowness.told({ narrow: false, carriesKbps: 5_000 });
  expect(slowness.at(1_000, 100)).toEqual({ carriesKbps: 5_000, told: true });
  expect(slowness.at(4_000, 100)).toBeNull();
});

it('believes the relay rather than its own eyes', () => {
  const slowness = new Slowness();
  slowness.told({ narrow: false, carriesKbps: null });
  for (let ms = 0; ms < 20_000; ms += 250) {
    slowness.skipped(ms);
    expect(slowness.at(ms, 3_000)).toBeNull();
  }
});

it('sees by itself that pictures stay late', () => {
  const slowness = new Slowness();
  expect(slowness.at(0, 1_400)).toBeNull();
  expect(slowness.at(2_900, 1_400), 'a moment only').toBeNull();
  expect(slowness.at(3_000, 1_400)).toEqual({ carriesKbps: null, told: false });
  expect(slowness.at(3_500, 200)).toEqual({ carriesKbps: null, told: false });
  expect(slowness.at(7_100, 200)).toBeNull();
});

it('sees by itself that groups are replaced again and again, but not once', () => {
  const slowness = new Slowness();
  slowness.skipped(0);
  expect(slowness.at(100, 100)).toBeNull();
  slowness.skipped(12_000);
  expect(slowness.at(12_000, 100), 'long after the first').toBeNull();
  slowness.skipped(15_000);
  expect(slowness.at(15_000, 100)).toEqual({ carriesKbps: null, told: false });
});

it('holds nothing of one session against the next', () => {
  const slowness = new Slowness();
  slowness.told({ narrow: true, carriesKbps: 300 });
  slowness.at(0, 100);
  slowness.restart();
  expect(slowness.at(10, 100)).toBeNull();
});
