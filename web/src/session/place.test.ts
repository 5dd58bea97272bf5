import { expect, test } from 'vitest';
import { at, relayOf } from './place.ts';

test('a relay at the root of its host', () => {
  const relay = relayOf('https://host.example:4433/play?x=1#token');
  expect(relay).toBe('https://host.example:4433');
  expect(at(relay, 'api/relay').href).toBe('https://host.example:4433/api/relay');
});

test('a relay under a path', () => {
  for (const page of ['admin#token', 'play', '', 'host']) {
    const relay = relayOf(`https://host.example/cast/${page}`);
    expect(relay).toBe('https://host.example/cast');
    expect(at(relay, 'main/whep').href).toBe('https://host.example/cast/main/whep');
  }
  expect(at('https://host.example/cast/', 'health').href).toBe('https://host.example/cast/health');
});
