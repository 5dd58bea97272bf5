import { describe, expect, it } from 'vitest';
import { readToken } from './token.ts';

describe('a token', () => {
  const token = (claims: object) =>
    `${btoa('{}')}.${btoa(JSON.stringify(claims)).replaceAll('=', '')}.sig`;

  it('says whose it is and for how long', () => {
    expect(readToken(token({ sub: 'main', role: 'publish', exp: 100 }))).toEqual({
      broadcast: 'main',
      role: 'publish',
      expiresMs: 100_000,
    });
  });

  it.each([
    '',
    'a',
    'a.b.c',
    'a.!!.c',
    token({ sub: '', role: 'publish', exp: 1 }),
    token({ sub: 'a', role: 'king', exp: 1 }),
    token({ sub: 'a', role: 'play' }),
  ])('is null for %j', (text) => {
    expect(readToken(text)).toBeNull();
  });
});
