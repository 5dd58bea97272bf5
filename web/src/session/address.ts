/**
 * What a page was opened with. The token is taken out of the address, and so out of the tab's history,
 * at once: whoever shares the whole screen shows the address to everybody. (That of a frame is shown nowhere.)
 */

import type { LinkKey } from '@steadycast/codec-glue';
import { broadcastFragment, parseFragment } from './fragment.ts';
import { isFramed } from './framed.ts';
import { keepKey, keepToken, keptKey, keptToken } from './kept-tokens.ts';
import { readToken } from './token.ts';

export interface Opened {
  /** Empty: there is none here. */
  token: string;
  /** Which broadcast the page is about; null: nothing says so. */
  broadcast: string | null;
  /** What the broadcast is opened with, where it is private; null: there is none here. */
  key: LinkKey | null;
}

export class PageAddress {
  readonly #role: 'publish' | 'play';
  readonly #listeners = new Set<() => void>();
  #opened: Opened;

  /** `role`: what the page's tokens let somebody do; others are not kept. */
  constructor(role: 'publish' | 'play') {
    this.#role = role;
    this.#opened = this.#take();
    addEventListener('hashchange', () => this.#follow());
  }

  /** The same object until the page is opened with something else. */
  opened = (): Opened => this.#opened;

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Goes on with this token, as with a link to it. */
  open(token: string): void {
    this.#show(this.#admit(token, null));
  }

  /** The same, with a way back to what is shown now. */
  enter(token: string): void {
    history.pushState(null, '', location.href);
    this.open(token);
  }

  #take(): Opened {
    const { token, broadcast, key } = parseFragment(location.hash);
    if (token !== null) return this.#admit(token, key);
    if (broadcast === null) return { token: '', broadcast, key: null };
    const kept = keptToken(this.#role, broadcast);
    return { token: kept ?? '', broadcast, key: this.#keptKey(broadcast) };
  }

  #admit(token: string, inLink: LinkKey | null): Opened {
    const claims = readToken(token);
    const broadcast = claims?.roles.includes(this.#role) === true ? claims.broadcast : null;
    const kept = broadcast === null || keepToken(this.#role, broadcast, token);
    if (broadcast !== null && inLink !== null && this.#role === 'play')
      keepKey(this.#role, broadcast, inLink);
    // A link that was cut short spoils nothing.
    const key = inLink ?? this.#keptKey(broadcast);
    // A browser that keeps nothing for frames has only their address for what a reload needs.
    if (!kept && isFramed()) return { token, broadcast, key };
    const fragment = broadcast === null ? '' : broadcastFragment(broadcast);
    history.replaceState(history.state, '', location.pathname + location.search + fragment);
    return { token, broadcast, key };
  }

  /** That of a panel is kept with what hosts keep, for it becomes another one with other links. */
  #keptKey(broadcast: string | null): LinkKey | null {
    return broadcast === null || this.#role !== 'play' ? null : keptKey(this.#role, broadcast);
  }

  #follow(): void {
    const next = this.#take();
    // Who opens the same link again wants the page to begin again.
    if (next.token !== '' && next.token === this.#opened.token) location.reload();
    else this.#show(next);
  }

  #show(opened: Opened): void {
    this.#opened = opened;
    for (const listener of this.#listeners) listener();
  }
}
