import { describe, expect, it } from 'vitest';
import { readToken } from './token.ts';

describe('a token', () => {
  const token = (claims: object) =>
    `${btoa('{}')}.${btoa(JSON.stringify(claims)).replaceAll('=', '')}.sig`;

  it('says whose it is and for how long', () => {
    const steadycast = { broadcast: 'main', roles: ['publish', 'play'] };
    expect(readToken(token({ exp: 100, sub: 'ada', steadycast }))).toEqual({
      broadcast: 'main',
      roles: ['publish', 'play'],
      expiresMs: 100_000,
      endsAccess: false,
      generation: null,
    });
  });

  it('says whether sessions end with it', () => {
    const steadycast = { broadcast: 'main', roles: ['play'], expiry: 'stay_until' };
    expect(readToken(token({ exp: 100, steadycast }))?.endsAccess).toBe(true);
  });

  it('may be one of a relay before', () => {
    expect(readToken(token({ sub: 'main', role: 'publish', exp: 100 }))).toEqual({
      broadcast: 'main',
      roles: ['publish'],
      expiresMs: 100_000,
      endsAccess: false,
      generation: null,
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
    token({ exp: 1, steadycast: { broadcast: 'game-*', roles: ['play'] } }),
    token({ exp: 1, steadycast: { broadcast: 'a', roles: ['king'] } }),
    token({ exp: 1, steadycast: { broadcast: 'a' } }),
  ])('is null for %j', (text) => {
    expect(readToken(text)).toBeNull();
  });
});
