/** The windows that capture: where their page is, how one is opened, and whether it has come. */

import { type ShareWish, searchOf } from '../publish/wish.ts';
import { placeBeside } from './window-place.ts';

/** How long a new window may take to say hello before another is offered: machines are slow. */
const OPENING_MS = 10_000;

export class CaptureWindows {
  readonly #page: URL;
  #openedMs: number | null = null;

  /** `page`: the address of the windows' page. */
  constructor(page: URL) {
    this.#page = page;
  }

  /** Browsers let pages of one origin alone hear each other. */
  get canBeHeard(): boolean {
    return this.#page.origin === location.origin;
  }

  /** One was asked for a moment ago, and has not answered yet. */
  get isComing(): boolean {
    return this.#openedMs !== null && Date.now() - this.#openedMs < OPENING_MS;
  }

  /** One was asked for, and has not answered in all the time that it may take. */
  get isMissing(): boolean {
    return this.#openedMs !== null && !this.isComing;
  }

  /** Somebody wants one, whether or not the browser opens it. */
  expect(): void {
    this.#openedMs = Date.now();
  }

  /** It is there, or nobody waits for it any more. */
  expectNone(): void {
    this.#openedMs = null;
  }

  /** `fragment`: what it finds its token by. False: the browser opens none. */
  open(wish: ShareWish, fragment: string): boolean {
    if (!this.canBeHeard) return false;
    const url = new URL(this.#page);
    url.search = [url.search.slice(1), searchOf(wish)].filter((part) => part !== '').join('&');
    url.hash = fragment;
    // The page should give up its opener (Cross-Origin-Opener-Policy), so that it shares no process
    // with this one, whose crash it survives; `noopener` would hide whether a window came about.
    return window.open(url, '_blank', `popup,${placeBeside(window)}`) !== null;
  }
}
