import { expect, it } from 'vitest';
import { isAddress, playerPath } from './link.ts';

it('takes a whole link of now or before, or the token alone', () => {
  const path = 'play#token=aa.bb-b.c_c';
  for (const text of [
    ' https://relay.test:4443/play#token=aa.bb-b.c_c \n',
    'https://relay.test:4443/play#aa.bb-b.c_c',
    '#token=aa.bb-b.c_c',
    'token=aa.bb-b.c_c',
    'aa.bb-b.c_c',
  ]) {
    expect(playerPath(text)).toBe(path);
  }
});

it('keeps what else a link says', () => {
  expect(playerPath('https://relay.test/play#token=a.b.c&key=k')).toBe('play#token=a.b.c&key=k');
});

it('takes nothing else', () => {
  for (const text of ['', 'hello', 'https://relay.test/play', '#a.b', 'a.b.c"onload=']) {
    expect(playerPath(text)).toBeNull();
  }
  const address = 'https://relay.test/play#broadcast=main';
  expect([playerPath(address), isAddress(address), isAddress('hello')]).toEqual([
    null,
    true,
    false,
  ]);
});
