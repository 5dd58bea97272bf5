import { describe, expect, it } from 'vitest';
import { broadcastFragment, parseFragment, tokenFragment } from './fragment.ts';

const TOKEN = 'aa.b-b.c_c';

describe('a fragment', () => {
  it('has named parts, in any order and among others', () => {
    const link = { token: TOKEN, broadcast: null };
    expect(parseFragment(tokenFragment(TOKEN))).toEqual(link);
    expect(parseFragment(`key=k&token=${TOKEN}&later=1`)).toEqual(link);
    expect(parseFragment(broadcastFragment('main'))).toEqual({ token: null, broadcast: 'main' });
  });

  it('of links of before is the token', () => {
    expect(parseFragment(`#${TOKEN}`)).toEqual({ token: TOKEN, broadcast: null });
  });

  it.each(['', '#', '#token=', '#key=k', '#broadcast='])('%j has none', (hash) => {
    expect(parseFragment(hash)).toEqual({ token: null, broadcast: null });
  });

  it('shows a token as it is', () => {
    expect(tokenFragment(TOKEN)).toBe(`#token=${TOKEN}`);
  });
});
