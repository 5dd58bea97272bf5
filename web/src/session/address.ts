/**
 * What a page was opened with. The token is taken out of the address, and so out of the tab's history,
 * at once: whoever shares the whole screen shows the address to everybody. (That of a frame is shown nowhere.)
 */

import { broadcastFragment, parseFragment } from './fragment.ts';
import { isFramed } from './framed.ts';
import { keepToken, keptToken } from './kept-tokens.ts';
import { readToken } from './token.ts';

export interface Opened {
  /** Empty: there is none here. */
  token: string;
  /** Which broadcast the page is about; null: nothing says so. */
  broadcast: string | null;
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
    this.#show(this.#admit(token));
  }

  /** The same, with a way back to what is shown now. */
  enter(token: string): void {
    history.pushState(null, '', location.href);
    this.open(token);
  }

  #take(): Opened {
    const { token, broadcast } = parseFragment(location.hash);
    if (token !== null) return this.#admit(token);
    const kept = broadcast === null ? null : keptToken(this.#role, broadcast);
    return { token: kept ?? '', broadcast };
  }

  #admit(token: string): Opened {
    const claims = readToken(token);
    const broadcast = claims?.roles.includes(this.#role) === true ? claims.broadcast : null;
    const kept = broadcast === null || keepToken(this.#role, broadcast, token);
    // A browser that keeps nothing for frames has only their address for what a reload needs.
    if (!kept && isFramed()) return { token, broadcast };
    const fragment = broadcast === null ? '' : broadcastFragment(broadcast);
    history.replaceState(history.state, '', location.pathname + location.search + fragment);
    return { token, broadcast };
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
