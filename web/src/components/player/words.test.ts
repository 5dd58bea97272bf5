import { expect, it } from 'vitest';
import { elapsed } from './words.ts';

it('counts seconds, minutes, hours', () => {
  const times = [-5, 0, 8_900, 60_000, 185_000, 3_729_000];
  expect(times.map(elapsed)).toEqual(['0 s', '0 s', '8 s', '1:00', '3:05', '1:02:09']);
});
