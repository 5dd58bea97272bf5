/** Where a relay's sessions are opened, and whether it is there at all (PROTOCOL 7). */

import type { Versions } from '@steadycast/codec-glue';
import { connectionWords } from '../words/connection.ts';
import { type ClockSample, localUs } from './clock.ts';
import { deadline } from './deadline.ts';
import { SessionError, unreachable } from './error.ts';
import { isCount, isRecord, isText, shape } from './parse.ts';
import { at, isRelay } from './place.ts';

/** What `GET /api/relay` says. */
export interface RelayEndpoint {
  /** The URL of WebTransport sessions. */
  sessionUrl: string;
  /** SHA-256 of the certificates to accept; empty when the certificate is publicly trusted. */
  certificateHashes: Uint8Array<ArrayBuffer>[];
  /** The relay's clock, as this exchange tells it; a rough one, for HTTP takes its time. */
  clock: ClockSample | null;
  /** Where others are that take sessions for the same broadcasts, in the order in which they are to be tried. */
  relays?: readonly string[];
  /** When it was started, by its clock; relays of before do not say. */
  startedUs?: number;
  /** The versions of the protocol that it speaks. */
  versions: Versions;
}

export type Health = 'ok' | 'draining' | 'unreachable';

const FETCH_TIMEOUT_MS = 5_000;
const PROBE_TIMEOUT_MS = 2_000;

/**
 * Asks the relay for its endpoint; hashes change, so ask before every session. The other relays that it names are those at
 * which all are to be that watch `broadcast`, where that is said. Throws SessionError.
 */
export async function fetchEndpoint(
  origin: string,
  signal: AbortSignal,
  broadcast?: string,
): Promise<RelayEndpoint> {
  const sentUs = localUs();
  const url = at(origin, 'api/relay');
  if (broadcast !== undefined) url.searchParams.set('broadcast', broadcast);
  const answer = await request(url, FETCH_TIMEOUT_MS, signal);
  const receivedUs = localUs();
  if (!answer.ok) throw unreachable(connectionWords().answered(answer.status));
  return parseEndpoint(origin, await answer.json().catch(() => null), { sentUs, receivedUs });
}

/** Asks over TCP whether the relay takes sessions. Rejects only when `signal` aborts. */
export async function probe(origin: string, signal: AbortSignal): Promise<Health> {
  try {
    const answer = await request(at(origin, 'health'), PROBE_TIMEOUT_MS, signal);
    await answer.body?.cancel();
    if (answer.ok) return 'ok';
    return answer.status === 503 ? 'draining' : 'unreachable';
  } catch (error) {
    if (error instanceof SessionError) return 'unreachable';
    throw error;
  }
}

async function request(url: URL, timeoutMs: number, signal: AbortSignal): Promise<Response> {
  signal.throwIfAborted();
  try {
    return await fetch(url, {
      cache: 'no-store',
      credentials: 'omit',
      signal: deadline(signal, timeoutMs),
    });
  } catch (error) {
    signal.throwIfAborted();
    throw unreachable(connectionWords().silent, error);
  }
}

function parseEndpoint(
  origin: string,
  body: unknown,
  asked: Omit<ClockSample, 'relayUs'>,
): RelayEndpoint {
  const fields = typeof body === 'object' && body !== null ? body : {};
  const session = 'session' in fields ? fields.session : null;
  const hashes = 'certificateHashes' in fields ? fields.certificateHashes : [];
  const relayUs = 'relayUs' in fields ? fields.relayUs : null;
  const startedUs = 'startedUs' in fields ? fields.startedUs : null;
  if (typeof session !== 'string' || !Array.isArray(hashes)) {
    throw unreachable(connectionWords().strange);
  }
  const relays = parseRelays(fields);
  const url = new URL(session, origin);
  // Sessions are encrypted even where a development relay serves its pages without.
  url.protocol = 'https:';
  return {
    sessionUrl: url.href,
    certificateHashes: hashes.map(parseHash),
    clock: typeof relayUs === 'number' ? { ...asked, relayUs } : null,
    versions: parseVersions(fields),
    ...(relays.length > 0 && { relays }),
    ...(isCount(startedUs) && { startedUs }),
  };
}

/** Relays of before know of no others. */
function parseRelays(fields: object): string[] {
  const told: unknown[] = 'relays' in fields && Array.isArray(fields.relays) ? fields.relays : [];
  return told.filter(isOther).map(({ url }) => url);
}

const isOther = (value: unknown): value is { url: string } =>
  isRecord(value) && isText(value['url']) && isRelay(value['url']);

const isVersions = shape<Versions>({ min: isCount, max: isCount });

/** A relay of version 1 says no range, but its only version. */
function parseVersions(fields: object): Versions {
  if ('protocols' in fields && isVersions(fields.protocols)) {
    const { min, max } = fields.protocols;
    return { min, max };
  }
  const only = 'protocol' in fields && isCount(fields.protocol) ? fields.protocol : 1;
  return { min: only, max: only };
}

function parseHash(hash: unknown): Uint8Array<ArrayBuffer> {
  try {
    return Uint8Array.from(atob(String(hash)), (char) => char.charCodeAt(0));
  } catch (error) {
    throw unreachable('a certificate hash that is not base64', error);
  }
}
