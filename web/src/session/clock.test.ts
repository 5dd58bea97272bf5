import { expect, it } from 'vitest';
import { RelayClock } from './clock.ts';

it('assumes that the relay answered half way', () => {
  const clock = new RelayClock({ sentUs: 100, receivedUs: 300, relayUs: 1_000 }, () => 500);
  expect([clock.offsetUs, clock.rttUs, clock.nowUs()]).toEqual([800, 200, 1_300]);
});

it('believes the sample with the least round trip', () => {
  const clock = new RelayClock({ sentUs: 0, receivedUs: 400, relayUs: 1_000 });
  clock.add({ sentUs: 1_000, receivedUs: 1_100, relayUs: 2_000 });
  clock.add({ sentUs: 2_000, receivedUs: 2_900, relayUs: 3_500 });
  expect([clock.offsetUs, clock.rttUs]).toEqual([950, 100]);
});

it('forgets a sample after 16 more', () => {
  const clock = new RelayClock({ sentUs: 0, receivedUs: 10, relayUs: 1_000 });
  for (let turn = 0; turn < 15; turn += 1) {
    clock.add({ sentUs: 0, receivedUs: 100, relayUs: 5_050 });
  }
  expect(clock.offsetUs).toBe(995);
  clock.add({ sentUs: 0, receivedUs: 100, relayUs: 5_050 });
  expect([clock.offsetUs, clock.rttUs]).toEqual([5_000, 100]);
});

it('prefers the newer of two equal samples', () => {
  const clock = new RelayClock({ sentUs: 0, receivedUs: 10, relayUs: 1_000 });
  clock.add({ sentUs: 0, receivedUs: 10, relayUs: 2_000 });
  expect(clock.offsetUs).toBe(1_995);
});
