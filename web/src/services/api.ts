/** The relay's HTTP API, as far as admins use it (PROTOCOL 7). */

import { PHASES, type Phase } from '@steadycast/codec-glue';
import { SessionError } from '../session/error.ts';
import {
  type Check,
  isCount,
  isFlag,
  isRecord,
  isText,
  listOf,
  oneOf,
  shape,
} from '../session/parse.ts';
import { at } from '../session/place.ts';
import type { Verdict } from '../session/places.ts';
import { relayWords } from '../words/index.ts';

export interface CreatedBroadcast {
  id: string;
  title: string;
  publishToken: string;
  /** The player's link, as a full URL. */
  playerLink: string;
}

export interface BroadcastFacts {
  id: string;
  title: string;
  phase: Phase;
  /** When the phase began: Unix milliseconds of the relay. */
  sinceMs: number;
  players: number;
  /** Only people with the link can see it: the relay cannot, and its links lack the key. */
  isPrivate: boolean;
  /** Of what generation viewers' links are at least (PROTOCOL 12.7); null: the relay does not say. */
  playGeneration?: number | null;
  playerLink: string;
  /** The same at addresses that other machines reach, the best first; where `playerLink` is good on this one alone. */
  networkLinks?: readonly string[];
  /** What keeps the publisher's pictures from viewers, in words for people. */
  warnings: readonly string[];
}

/** A broadcast in the list of all. */
export interface ListedBroadcast extends BroadcastFacts {
  networkLinks: readonly string[];
  /** Unix milliseconds of the relay. */
  createdMs: number;
  /** When a publisher was there last; null: none was yet, as far as the relay says. */
  lastLiveMs: number | null;
}

/** A part of that list, which is in the order of ids. */
export interface Page {
  broadcasts: ListedBroadcast[];
  /** Relays that have not said which of the broadcasts there are theirs and how these are doing: those are left out. */
  incomplete: readonly string[];
  /** Behind this id there are more; null: there are none. */
  next: string | null;
}

/** What publishers are told besides. */
export interface OwnBroadcast extends BroadcastFacts {
  /** What panels and hosts know each other by (PROTOCOL 7.2); null: the relay says none. */
  panelSecret: string | null;
}

/** offline: the relay does not answer. */
export class ApiError extends Error {
  readonly kind: 'offline' | 'refused';
  /** A name of PROTOCOL 5, or null. */
  readonly code: string | null;

  constructor(kind: 'offline' | 'refused', message: string, code: string | null = null) {
    super(message);
    this.name = 'ApiError';
    this.kind = kind;
    this.code = code;
  }
}

/** Answers of what stands before a relay that does not answer. */
const UNREACHED: ReadonlySet<number> = new Set([502, 504]);

/** For `Places`. */
export function verdictOf(error: unknown): Verdict {
  if (error instanceof SessionError) return 'silent';
  if (!(error instanceof ApiError)) return 'answered';
  if (error.kind === 'offline') return 'silent';
  // It may not have the keys of the others yet, or be none of them.
  return error.code === 'unauthorized' ? 'stranger' : 'answered';
}

/** What stands in place of a problem's code where a panel has ended its broadcast itself. */
export const ENDED_HERE = 'ended_here';

const TIMEOUT_MS = 8_000;

/** A host has no more addresses than that which the relay tells. */
const NETWORK_MAX = 16;
/** The relay's longest page. */
const PAGE_MAX = 1_000;
/** More relays than there are in a cluster. */
export const RELAYS_MAX = 10_000;

interface Answer {
  id: string;
  title: string;
  links: { player: string; network: string[] | undefined };
}

function orMissing<T>(check: Check<T>): Check<T | undefined> {
  return (value): value is T | undefined => value === undefined || check(value);
}

const answer = {
  id: isText,
  title: (value: unknown): value is string =>
    value === null || value === undefined || isText(value),
  links: shape<Answer['links']>({
    player: isText,
    network: orMissing(listOf(isText, NETWORK_MAX)),
  }),
};
const isToken = (value: unknown): value is string =>
  typeof value === 'string' && value.length <= 4_096;

const isCreated = shape<Answer & { publishToken: string }>({
  ...answer,
  publishToken: isToken,
});
interface Warning {
  message: string;
}

const isWarning = shape<Warning>({ message: isText });
interface Told extends Answer {
  phase: BroadcastFacts['phase'];
  sinceUs: number;
  players: number;
  private: boolean | undefined;
  playGeneration: number | undefined;
  warnings: Warning[] | undefined;
}

const told = {
  ...answer,
  phase: oneOf(PHASES),
  sinceUs: isCount,
  players: isCount,
  private: orMissing(isFlag),
  playGeneration: orMissing(isCount),
  // A relay of before says none.
  warnings: (value: unknown): value is Warning[] | undefined =>
    value === undefined || (Array.isArray(value) && value.every(isWarning)),
};

const isBroadcast = shape<Told & { panelSecret: string | undefined }>({
  ...told,
  panelSecret: orMissing(isText),
});

interface Listed extends Told {
  created: number;
  lastLive: number | undefined;
}

const isPage = shape<{
  broadcasts: Listed[];
  incomplete: string[] | undefined;
  next: string | undefined;
}>({
  broadcasts: listOf(
    shape<Listed>({ ...told, created: isCount, lastLive: orMissing(isCount) }),
    PAGE_MAX,
  ),
  incomplete: orMissing(listOf(isText, RELAYS_MAX)),
  next: orMissing(isText),
});

/** Throws ApiError. */
export async function createBroadcast(
  origin: string,
  adminKey: string,
  title: string,
  isPrivate = false,
): Promise<CreatedBroadcast> {
  const url = at(origin, 'api/broadcasts');
  const named = title === '' ? {} : { title };
  const body = JSON.stringify(isPrivate ? { ...named, private: true } : named);
  const made = await call(url, adminKey, { method: 'POST', body });
  if (!isCreated(made)) throw strange();
  const { id, publishToken, links } = made;
  return {
    id,
    title: made.title ?? '',
    publishToken,
    playerLink: new URL(links.player, origin).href,
  };
}

/** Throws ApiError. */
export async function readBroadcast(
  origin: string,
  id: string,
  token: string,
): Promise<OwnBroadcast> {
  const facts = await call(broadcastUrl(origin, id), token, { method: 'GET' });
  if (!isBroadcast(facts)) throw strange();
  return { ...factsOf(facts, origin), panelSecret: facts.panelSecret ?? null };
}

/** Broadcasts behind the id `after`, for an admin; null: from the first one. Throws ApiError. */
export async function listBroadcasts(
  origin: string,
  adminKey: string,
  after: string | null,
): Promise<Page> {
  const url = at(origin, 'api/broadcasts');
  if (after !== null) url.searchParams.set('after', after);
  const page = await call(url, adminKey, { method: 'GET' });
  if (!isPage(page)) throw strange();
  const broadcasts = page.broadcasts.map((one) => ({
    ...factsOf(one, origin),
    createdMs: one.created * 1_000,
    lastLiveMs: one.lastLive === undefined ? null : one.lastLive * 1_000,
  }));
  return { broadcasts, incomplete: page.incomplete ?? [], next: page.next ?? null };
}

function factsOf(one: Told, origin: string) {
  const { player, network = [] } = one.links;
  return {
    id: one.id,
    title: one.title ?? '',
    phase: one.phase,
    sinceMs: one.sinceUs / 1_000,
    players: one.players,
    isPrivate: one.private === true,
    playGeneration: one.playGeneration ?? null,
    playerLink: new URL(player, origin).href,
    networkLinks: network.map((link) => new URL(link, origin).href),
    warnings: (one.warnings ?? []).map(({ message }) => message),
  };
}

/** The links of a broadcast, made anew. */
export interface NewLinks {
  publishToken: string;
  /** As full URLs. */
  adminLink: string;
  playerLink: string;
}

const isNewLinks = shape<{ publishToken: string; links: { admin: string; player: string } }>({
  publishToken: isToken,
  links: shape<{ admin: string; player: string }>({ admin: isText, player: isText }),
});

/**
 * Makes new links; those until now for the roles in `end` stop working, and their sessions end.
 * Throws ApiError.
 */
export async function renewLinks(
  origin: string,
  id: string,
  token: string,
  end: readonly ('publish' | 'play')[],
): Promise<NewLinks> {
  const url = at(origin, `api/broadcasts/${encodeURIComponent(id)}/links`);
  const made = await call(url, token, { method: 'POST', body: JSON.stringify({ end }) });
  if (!isNewLinks(made)) throw strange();
  const { admin, player } = made.links;
  return {
    publishToken: made.publishToken,
    adminLink: new URL(admin, origin).href,
    playerLink: new URL(player, origin).href,
  };
}

const isTimedLink = shape<{ link: string }>({ link: isText });

/**
 * One more link for viewers, by which access ends after `ttlS` seconds, or sooner where the relay lets
 * no link live as long. Throws ApiError.
 */
export async function makeTimedLink(
  origin: string,
  id: string,
  token: string,
  ttlS: number,
): Promise<string> {
  const wish = { broadcast: id, roles: ['play'], ttlS, expiry: 'stay_until' };
  const body = JSON.stringify(wish);
  const made = await call(at(origin, 'api/tokens'), token, { method: 'POST', body });
  if (!isTimedLink(made)) throw strange();
  return new URL(made.link, origin).href;
}

/** Ends the broadcast for everyone, for good. Throws ApiError. */
export async function endBroadcast(origin: string, id: string, token: string): Promise<void> {
  await call(broadcastUrl(origin, id), token, { method: 'DELETE' });
}

/** Where a broadcast is. */
export function broadcastUrl(origin: string, id: string): URL {
  return at(origin, `api/broadcasts/${encodeURIComponent(id)}`);
}

/** Asks the relay. Throws ApiError. */
export async function call(
  url: URL,
  bearer: string,
  init: { method: string; body?: string },
): Promise<unknown> {
  const response = await request(url, bearer, init);
  const body: unknown = response.status === 204 ? null : await response.json().catch(() => null);
  if (response.ok) return body;
  if (UNREACHED.has(response.status)) throw new ApiError('offline', relayWords().silent);
  const problem = isRecord(body) ? body : {};
  const { detail, title, code } = problem;
  const said = isText(detail)
    ? detail
    : isText(title)
      ? title
      : relayWords().answered(response.status);
  throw new ApiError('refused', said, isText(code) ? code : null);
}

async function request(
  url: URL,
  bearer: string,
  init: { method: string; body?: string },
): Promise<Response> {
  try {
    return await fetch(url, {
      ...init,
      cache: 'no-store',
      credentials: 'omit',
      headers: {
        authorization: `Bearer ${bearer}`,
        ...(init.body !== undefined && { 'content-type': 'application/json' }),
      },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch {
    throw new ApiError('offline', relayWords().silent);
  }
}

/** An answer that is none. */
export function strange(): ApiError {
  return new ApiError('refused', relayWords().strange);
}
