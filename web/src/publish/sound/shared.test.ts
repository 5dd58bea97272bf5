import { expect, it } from 'vitest';
import { sharedFacts } from './shared.ts';

const soundOf = (deviceId: string) =>
  ({ getSettings: () => ({ deviceId }) }) as unknown as MediaStreamTrack;

it.each([
  ['web-contents-media-stream://6:8', 'browser', 'tab'],
  ['default', 'browser', 'tab'],
  ['loopback', 'monitor', 'system'],
  ['', 'monitor', 'system'],
  ['loopbackWithoutChrome', 'window', 'system'],
  ['applicationLoopback:42', 'window', 'window'],
  ['', 'window', 'window'],
])('says whose sound it is: %s with %s is of the %s', (device, surface, kind) => {
  expect(sharedFacts(soundOf(device), surface, 'Windows')).toEqual({ kind, lacks: null });
});

it.each([
  ['browser', 'Linux', 'unticked'],
  ['browser', 'macOS', 'unticked'],
  ['monitor', 'Linux', 'tabs-only'],
  ['window', 'Linux', 'tabs-only'],
  ['monitor', 'Windows', 'not-given'],
])('says why there is none: with a %s on %s, %s', (surface, system, lacks) => {
  expect(sharedFacts(null, surface, system)).toEqual({ kind: null, lacks });
});
