import { type LinkKey, newLinkKey } from '@steadycast/codec-glue';
import { isOldKey, keyOfLink } from '../publish/link-keys.ts';
import { accessOf } from '../publish/storage.ts';
import { withKey } from '../session/fragment.ts';
import { Places } from '../session/places.ts';
import {
  ApiError,
  createBroadcast,
  endBroadcast,
  type ListedBroadcast,
  listBroadcasts,
  type NewLinks,
  type Page,
  renewLinks,
  verdictOf,
} from './api.ts';

export interface DeskOptions {
  /** The relay's origin. */
  origin: string;
  /** The admin key, or a token of an admin (PROTOCOL 7.1). */
  key: string;
}

/** Why a broadcast that was in the list is there no more. */
export type Over = 'here' | 'elsewhere';

export interface DeskBroadcast extends ListedBroadcast {
  /** Null: it goes on. */
  over: Over | null;
}

export interface DeskSnapshot {
  /** Those that are on the air first, then the youngest; null before the relay answered. */
  broadcasts: readonly DeskBroadcast[] | null;
  /** There are more than are shown. */
  more: boolean;
  /** Relays that do not answer the one that is asked: what is there stands as it was heard of last. */
  incomplete: readonly string[];
  /** When the relay said so: Unix milliseconds. */
  heardMs: number | null;
  /** Why the list is old; null when it is not. */
  problem: { offline: boolean; message: string; code: string | null } | null;
}

/** What components need of the service. */
export interface Desk {
  subscribe(listener: () => void): () => void;
  snapshot(): DeskSnapshot;
  /** Shows a further part of the list. */
  more(): void;
  /** Throws ApiError. */
  create(title: string, isPrivate: boolean): Promise<void>;
  /** Links to a broadcast, made once for as long as the desk is open. Throws ApiError. */
  links(id: string): Promise<Pick<NewLinks, 'publishToken' | 'adminLink'>>;
  /** A link to a broadcast as viewers need it; null: it is private, and this browser does not have its key. */
  whole(broadcast: DeskBroadcast, link: string): Promise<string | null>;
  /** Ends a broadcast for everyone, for good. Throws ApiError. */
  end(id: string): Promise<void>;
}

/** Nobody has to be at the desk for anything: it is looked at, not watched. */
const POLL_MS = 4_000;

/** All broadcasts of a relay, as an admin of them all sees them. */
export class DeskService implements Desk {
  readonly #options: DeskOptions;
  readonly #places: Places;
  readonly #listeners = new Set<() => void>();
  readonly #links = new Map<string, Promise<NewLinks>>();
  #snapshot: DeskSnapshot = {
    broadcasts: null,
    more: false,
    incomplete: [],
    heardMs: null,
    problem: null,
  };
  #pages = 1;
  /** Of looks that overlap the last one counts. */
  #look = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  constructor(options: DeskOptions) {
    this.#options = options;
    this.#places = new Places(options.origin, verdictOf);
  }

  /** Begins to ask; call once. */
  open(): void {
    document.addEventListener('visibilitychange', this.#wake);
    void this.#ask();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    document.removeEventListener('visibilitychange', this.#wake);
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  snapshot = (): DeskSnapshot => this.#snapshot;

  more(): void {
    this.#pages += 1;
    void this.#ask();
  }

  async create(title: string, isPrivate: boolean): Promise<void> {
    const { key } = this.#options;
    const create = (relay: string) => createBroadcast(relay, key, title, isPrivate);
    const { id, publishToken } = await this.#places.ask(create, { once: true });
    // No relay is told of it: where this browser does not keep it, nobody has it.
    if (isPrivate) await accessOf(id).save(keyOfLink(newLinkKey(), publishToken));
    await this.#ask();
  }

  links(id: string): Promise<NewLinks> {
    const known = this.#links.get(id);
    if (known !== undefined) return known;
    const { key } = this.#options;
    const renewed = this.#places.ask((relay) => renewLinks(relay, id, key, []));
    const made = this.#withKey(id, renewed);
    this.#links.set(id, made);
    // What failed may be tried again.
    made.catch(() => this.#links.delete(id));
    return made;
  }

  async whole({ id, isPrivate }: DeskBroadcast, link: string): Promise<string | null> {
    if (!isPrivate) return link;
    const key = await this.#keyOf(id);
    return key === null ? null : withKey(link, key);
  }

  /** Null: this browser does not have it, or one of before viewers' links were replaced. */
  async #keyOf(id: string): Promise<LinkKey | null> {
    const kept = await accessOf(id).load();
    const facts = this.#snapshot.broadcasts?.find((one) => one.id === id);
    return isOldKey(kept, facts?.playGeneration ?? null) ? null : kept.key;
  }

  /** With the key of a private broadcast, where this browser has it. */
  async #withKey(id: string, made: Promise<NewLinks>): Promise<NewLinks> {
    const [links, key] = await Promise.all([made, this.#keyOf(id)]);
    const { adminLink, playerLink } = links;
    return { ...links, adminLink: withKey(adminLink, key), playerLink: withKey(playerLink, key) };
  }

  async end(id: string): Promise<void> {
    const { key } = this.#options;
    await this.#places.ask((relay) => endBroadcast(relay, id, key));
    const { broadcasts } = this.#snapshot;
    const ended = broadcasts?.map((one) =>
      one.id === id ? { ...one, over: 'here' as const } : one,
    );
    this.#show({ broadcasts: ended ?? null });
    // Nobody has to wait for the rest of the list.
    void this.#ask();
  }

  #wake = (): void => {
    if (document.visibilityState !== 'hidden') void this.#ask();
  };

  async #ask(): Promise<void> {
    clearTimeout(this.#timer);
    this.#look += 1;
    const look = this.#look;
    const change = await this.#read();
    if (this.#closed || look !== this.#look) return;
    this.#show(change);
    if (document.visibilityState !== 'hidden') {
      this.#timer = setTimeout(() => void this.#ask(), POLL_MS);
    }
  }

  async #read(): Promise<Partial<DeskSnapshot>> {
    try {
      const page = await this.#places.ask((relay) => this.#readPages(relay));
      return {
        broadcasts: inOrder(withOver(this.#snapshot.broadcasts ?? [], page)),
        more: page.next !== null,
        incomplete: page.incomplete,
        heardMs: Date.now(),
        problem: null,
      };
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      const { kind, message, code } = error;
      return { problem: { offline: kind === 'offline', message, code } };
    }
  }

  async #readPages(relay: string): Promise<Page> {
    const { key } = this.#options;
    const broadcasts: ListedBroadcast[] = [];
    const incomplete = new Set<string>();
    let next: string | null = null;
    for (let count = 0; count < this.#pages; count += 1) {
      const page = await listBroadcasts(relay, key, next);
      broadcasts.push(...page.broadcasts);
      for (const silent of page.incomplete) incomplete.add(silent);
      next = page.next;
      if (next === null) break;
    }
    return { broadcasts, incomplete: [...incomplete].sort(), next };
  }

  #show(change: Partial<DeskSnapshot>): void {
    this.#snapshot = { ...this.#snapshot, ...change };
    for (const listener of this.#listeners) listener();
  }
}

/**
 * What the relay lists now, and behind it what was known before and is over: nothing vanishes from under the pointer.
 * Behind the id where the list goes on nothing is known to be missing, and where a relay has not said what is there,
 * nothing is known to be over.
 */
export function withOver(
  known: readonly DeskBroadcast[],
  { broadcasts, incomplete, next }: Page,
): DeskBroadcast[] {
  const ids = new Set(broadcasts.map(({ id }) => id));
  const missing = known.filter(({ id }) => !ids.has(id) && (next === null || id <= next));
  const over = incomplete.length === 0 ? ('elsewhere' as const) : null;
  return [
    ...broadcasts.map((one) => ({ ...one, over: null })),
    ...missing.map((one) => ({ ...one, over: one.over ?? over })),
  ];
}

const RANKS = { live: 0, paused: 1, held: 1, waiting: 2 } as const;
const OVER_RANK = 3;

/** Those that are on the air first, those that are over last; among equals the youngest first. */
export function inOrder(broadcasts: readonly DeskBroadcast[]): DeskBroadcast[] {
  const rank = ({ over, phase }: DeskBroadcast) => (over === null ? RANKS[phase] : OVER_RANK);
  return broadcasts.toSorted(
    (one, other) => rank(one) - rank(other) || other.createdMs - one.createdMs,
  );
}
