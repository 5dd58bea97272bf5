import { newLinkKey } from '@steadycast/codec-glue';
import { describe, expect, it } from 'vitest';
import { broadcastFragment, parseFragment, tokenFragment, withKey } from './fragment.ts';

const TOKEN = 'aa.b-b.c_c';

describe('a fragment', () => {
  it('has named parts, in any order and among others', () => {
    const link = { token: TOKEN, broadcast: null, key: null };
    expect(parseFragment(tokenFragment(TOKEN))).toEqual(link);
    expect(parseFragment(`key=k&token=${TOKEN}&later=1`)).toEqual(link);
    expect(parseFragment(broadcastFragment('main'))).toEqual({
      token: null,
      broadcast: 'main',
      key: null,
    });
  });

  it('of links of before is the token', () => {
    expect(parseFragment(`#${TOKEN}`)).toEqual({ token: TOKEN, broadcast: null, key: null });
  });

  it.each(['', '#', '#token=', '#key=k', '#broadcast='])('%j has none', (hash) => {
    expect(parseFragment(hash)).toEqual({ token: null, broadcast: null, key: null });
  });

  it('has a key where the broadcast is private, and none that is cut short', () => {
    const key = newLinkKey();
    expect(parseFragment(tokenFragment(TOKEN, key))).toMatchObject({ token: TOKEN, key });
    const cut = tokenFragment(TOKEN, key).slice(0, -1);
    expect(parseFragment(cut)).toMatchObject({ token: TOKEN, key: null });
    const link = `https://relay.example/play#token=${TOKEN}`;
    expect(withKey(link, key)).toBe(`${link}&key=${key}`);
    expect(withKey(link, null)).toBe(link);
  });

  it('shows a token as it is', () => {
    expect(tokenFragment(TOKEN)).toBe(`#token=${TOKEN}`);
  });
});
