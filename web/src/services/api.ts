/** The relay's HTTP API, as far as admins use it (PROTOCOL 7). */

import { PHASES, type Phase } from '@steadycast/codec-glue';
import { isCount, isRecord, isText, oneOf, shape } from '../session/parse.ts';
import { at } from '../session/place.ts';

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
  playerLink: string;
  /** What keeps the publisher's pictures from viewers, in words for people. */
  warnings: readonly string[];
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

const TIMEOUT_MS = 8_000;

interface Answer {
  id: string;
  title: string;
  links: { player: string };
}

const answer = {
  id: isText,
  title: (value: unknown): value is string =>
    value === null || value === undefined || isText(value),
  links: shape<{ player: string }>({ player: isText }),
};
const isCreated = shape<Answer & { publishToken: string }>({
  ...answer,
  publishToken: (value): value is string => typeof value === 'string' && value.length <= 4_096,
});
interface Warning {
  message: string;
}

const isWarning = shape<Warning>({ message: isText });
const isBroadcast = shape<
  Answer & {
    phase: BroadcastFacts['phase'];
    sinceUs: number;
    players: number;
    warnings: Warning[] | undefined;
    panelSecret: string | undefined;
  }
>({
  ...answer,
  phase: oneOf(PHASES),
  sinceUs: isCount,
  players: isCount,
  // A relay of before says none.
  warnings: (value): value is Warning[] | undefined =>
    value === undefined || (Array.isArray(value) && value.every(isWarning)),
  panelSecret: (value): value is string | undefined => value === undefined || isText(value),
});

/** Throws ApiError. */
export async function createBroadcast(
  origin: string,
  adminKey: string,
  title: string,
): Promise<CreatedBroadcast> {
  const url = at(origin, 'api/broadcasts');
  const body = JSON.stringify(title === '' ? {} : { title });
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
  const { phase, sinceUs, players, links, warnings = [], panelSecret = null } = facts;
  return {
    id: facts.id,
    title: facts.title ?? '',
    phase,
    sinceMs: sinceUs / 1_000,
    players,
    playerLink: new URL(links.player, origin).href,
    warnings: warnings.map(({ message }) => message),
    panelSecret,
  };
}

/** The links of a broadcast, made anew. */
export interface NewLinks {
  /** As full URLs. */
  adminLink: string;
  playerLink: string;
}

const isNewLinks = shape<{ links: { admin: string; player: string } }>({
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
    adminLink: new URL(admin, origin).href,
    playerLink: new URL(player, origin).href,
  };
}

/** Ends the broadcast for everyone, for good. Throws ApiError. */
export async function endBroadcast(origin: string, id: string, token: string): Promise<void> {
  await call(broadcastUrl(origin, id), token, { method: 'DELETE' });
}

function broadcastUrl(origin: string, id: string): URL {
  return at(origin, `api/broadcasts/${encodeURIComponent(id)}`);
}

async function call(
  url: URL,
  bearer: string,
  init: { method: string; body?: string },
): Promise<unknown> {
  const response = await request(url, bearer, init);
  const body: unknown = response.status === 204 ? null : await response.json().catch(() => null);
  if (response.ok) return body;
  const problem = isRecord(body) ? body : {};
  const { detail, title, code } = problem;
  const said = isText(detail)
    ? detail
    : isText(title)
      ? title
      : `The relay answered ${response.status}.`;
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
    throw new ApiError('offline', 'The relay does not answer.');
  }
}

function strange(): ApiError {
  return new ApiError('refused', 'The relay answered in a way this page does not understand.');
}
