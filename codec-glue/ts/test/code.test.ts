import { expect, it } from 'vitest';
import { CODES, codeName, fromHttp3, toHttp3 } from '../src/index.ts';

it('every code survives the wire and HTTP/3', () => {
  for (const [name, { number }] of Object.entries(CODES)) {
    expect(codeName(number)).toBe(name);
    expect(fromHttp3(toHttp3(number))).toBe(number);
  }
});

it('reserved and foreign HTTP/3 codes carry nothing', () => {
  expect(fromHttp3(0x52e4a40fa8db + 0x1e)).toBeNull();
  expect(fromHttp3(0x100)).toBeNull();
  expect(fromHttp3(Number.MAX_SAFE_INTEGER)).toBeNull();
});

it('an unknown number has no name', () => expect(codeName(999)).toBeNull());
