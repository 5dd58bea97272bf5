import { expect, it } from 'vitest';
import { playerPath } from './link.ts';

it('takes a whole link, or the token alone', () => {
  expect(playerPath(' https://relay.test:4443/play#aa.bb-b.c_c \n')).toBe('play#aa.bb-b.c_c');
  expect(playerPath('aa.bb.cc')).toBe('play#aa.bb.cc');
});

it('takes nothing else', () => {
  for (const text of ['', 'hello', 'https://relay.test/play', '#a.b', 'a.b.c"onload=']) {
    expect(playerPath(text)).toBeNull();
  }
});
