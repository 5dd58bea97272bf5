/**
 * The tokens that this tab, or this browser, was opened with: they are in no address, and a reload
 * finds them here. At once, since a player begins before anything else of its page is there.
 */

import { type LinkKey, readLinkKey } from '@steadycast/codec-glue';
import { readToken, type TokenRole } from './token.ts';

type KeptRole = Extract<TokenRole, 'publish' | 'play'>;

const PREFIX = 'steadycast-token';
const KEY_PREFIX = 'steadycast-key';

/**
 * For this tab. What lets somebody watch besides for all of this browser, so that a bookmark and a tab
 * that was closed are good again; what lets somebody publish is kept with what the host keeps. Returns
 * whether it is kept at all.
 */
export function keepToken(role: KeptRole, broadcast: string, token: string): boolean {
  const name = nameOf(role, broadcast);
  for (const store of stores(role)) attempt(() => store().setItem(name, token));
  if (role === 'play') attempt(() => forgetEnded(localStorage, Date.now()));
  return keptToken(role, broadcast) === token;
}

/** The key of a private broadcast is kept where its token is. */
export function keepKey(role: KeptRole, broadcast: string, key: LinkKey): void {
  const name = keyNameOf(nameOf(role, broadcast));
  for (const store of stores(role)) attempt(() => store().setItem(name, key));
}

/** What the tab had last; null: it had none. */
export function keptKey(role: KeptRole, broadcast: string): LinkKey | null {
  const name = keyNameOf(nameOf(role, broadcast));
  for (const store of stores(role)) {
    const key = readLinkKey(attempt(() => store().getItem(name)) ?? '');
    if (key !== null) return key;
  }
  return null;
}

/** What the tab had last; null: nothing is kept here. */
export function keptToken(role: KeptRole, broadcast: string): string | null {
  const name = nameOf(role, broadcast);
  for (const store of stores(role)) {
    const token = attempt(() => store().getItem(name));
    if (token != null) return token;
  }
  return null;
}

function nameOf(role: KeptRole, broadcast: string): string {
  return `${PREFIX} ${role} ${broadcast}`;
}

function keyNameOf(token: string): string {
  return `${KEY_PREFIX}${token.slice(PREFIX.length)}`;
}

function stores(role: KeptRole): (() => Storage)[] {
  const tab = () => sessionStorage;
  return role === 'play' ? [tab, () => localStorage] : [tab];
}

function forgetEnded(store: Storage, nowMs: number): void {
  const names = Object.keys(store).filter((name) => name.startsWith(`${PREFIX} `));
  for (const name of names) {
    const endMs = readToken(store.getItem(name) ?? '')?.expiresMs ?? 0;
    if (endMs >= nowMs) continue;
    store.removeItem(name);
    store.removeItem(keyNameOf(name));
  }
}

/** Browsers may forbid a page to keep anything, which costs only the comfort after a reload. */
function attempt<T>(act: () => T): T | null {
  try {
    return act();
  } catch {
    return null;
  }
}
