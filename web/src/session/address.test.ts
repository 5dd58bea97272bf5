// @vitest-environment jsdom
import { newLinkKey } from '@steadycast/codec-glue';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { PageAddress } from './address.ts';
import { tokenFragment } from './fragment.ts';

const token = (broadcast: string, role: string, exp = 4_000_000_000) =>
  `e30.${btoa(JSON.stringify({ exp, steadycast: { broadcast, roles: [role] } })).replaceAll('=', '')}.c2ln`;
const PLAY = token('main', 'play');

/** A page with this fragment, as a browser opens it; a reload is another one with what is left of it. */
function openAt(fragment: string, role: 'publish' | 'play' = 'play'): PageAddress {
  history.replaceState(null, '', `/${role}${fragment}`);
  return new PageAddress(role);
}

beforeEach(() => {
  sessionStorage.clear();
  localStorage.clear();
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

describe('a page’s address', () => {
  it.each(['play', 'publish'] as const)('of a %s page loses its token at once', (role) => {
    const given = token('main', role);
    for (const fragment of [`#${given}`, tokenFragment(given), `${tokenFragment(given)}&key=k`]) {
      const address = openAt(`?x=1${fragment}`, role);
      expect(address.opened()).toEqual({ token: given, broadcast: 'main', key: null });
      expect(location.href).toMatch(/\?x=1#broadcast=main$/);
    }
    expect(openAt('#broadcast=main', role).opened().token).toBe(given);
  });

  it('loses the key of a private broadcast at once, which a player’s page keeps and a panel’s does not', () => {
    const key = newLinkKey();
    for (const role of ['play', 'publish'] as const) {
      const link = tokenFragment(token('main', role), key);
      expect(openAt(link, role).opened().key).toBe(key);
      expect(location.href).toMatch(/#broadcast=main$/);
      expect(openAt('#broadcast=main', role).opened().key).toBe(role === 'play' ? key : null);
    }
    expect(openAt(tokenFragment(PLAY)).opened().key, 'a link that was cut short').toBe(key);
    expect(openAt('#broadcast=other').opened().key).toBeNull();
  });

  it('that names another broadcast does not get what is kept of this one', () => {
    openAt(tokenFragment(PLAY));
    expect(openAt('#broadcast=other').opened()).toEqual({
      token: '',
      broadcast: 'other',
      key: null,
    });
    expect(openAt('#broadcast=main', 'publish').opened().token).toBe('');
  });

  it('is good in another tab of the browser for who watches, and not beyond the token’s end', () => {
    openAt(tokenFragment(PLAY));
    openAt(tokenFragment(token('early', 'play', 1)));
    sessionStorage.clear();
    expect(openAt('#broadcast=main').opened().token).toBe(PLAY);
    expect(openAt('#broadcast=early').opened().token).toBe('');
  });

  it('keeps nothing that is for something else, and no rest of it', () => {
    for (const odd of [token('main', 'publish'), 'hello']) {
      expect(openAt(`#${odd}`).opened()).toEqual({ token: odd, broadcast: null, key: null });
      expect(location.hash).toBe('');
    }
    expect(sessionStorage).toHaveLength(0);
  });

  it('is entered so that there is a way back', () => {
    const address = openAt('', 'publish');
    const before = history.length;
    address.enter(token('main', 'publish'));
    expect(address.opened().broadcast).toBe('main');
    expect(history.length).toBe(before + 1);
    expect(location.hash).toBe('#broadcast=main');
  });

  it('follows another link, whose token is gone at once as well', () => {
    const address = openAt(tokenFragment(PLAY));
    const heard = vi.fn();
    address.subscribe(heard);
    const other = token('other', 'play');
    history.pushState(null, '', tokenFragment(other));
    dispatchEvent(new HashChangeEvent('hashchange'));
    expect(address.opened()).toEqual({ token: other, broadcast: 'other', key: null });
    expect([location.hash, heard.mock.calls.length]).toEqual(['#broadcast=other', 1]);
  });

  it('plays on where the browser keeps nothing', () => {
    vi.spyOn(Storage.prototype, 'setItem').mockImplementation(() => {
      throw new DOMException('no', 'QuotaExceededError');
    });
    expect(openAt(tokenFragment(PLAY)).opened().token).toBe(PLAY);
    expect(location.hash).toBe('#broadcast=main');
  });

  it('keeps its token in a frame for which the browser keeps nothing', () => {
    vi.stubGlobal('parent', {});
    openAt(tokenFragment(PLAY));
    expect(location.hash).toBe('#broadcast=main');
    for (const store of ['sessionStorage', 'localStorage'] as const) {
      vi.spyOn(window, store, 'get').mockImplementation(() => {
        throw new DOMException('no', 'SecurityError');
      });
    }
    openAt(tokenFragment(PLAY));
    expect(openAt(location.hash).opened()).toEqual({ token: PLAY, broadcast: 'main', key: null });
  });
});
