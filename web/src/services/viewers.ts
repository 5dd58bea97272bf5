/** How the viewers of a broadcast fare, as the relay says it (PROTOCOL 7.6). */

import { isCount, isFlag, isRecord, isText, listOf, oneOf, shape } from '../session/parse.ts';
import { broadcastUrl, call, RELAYS_MAX, strange } from './api.ts';

/** In the order in which they are worth a word. */
export const VIEWER_STATES = ['live', 'behind', 'light', 'waiting', 'away'] as const;
export type ViewerState = (typeof VIEWER_STATES)[number];

export const VIEWER_TRANSPORTS = ['webtransport', 'webrtc', 'websocket'] as const;
export type ViewerTransport = (typeof VIEWER_TRANSPORTS)[number];

/** A viewer that does not see the picture as it is. */
export interface TroubledViewer {
  /** Its session's number. */
  session: number;
  name?: string | undefined;
  transport: ViewerTransport;
  state: ViewerState;
  /** Relay clock, microseconds. */
  stateSinceUs: number;
  /** Pictures were left out of late. */
  skips: boolean;
  /** Pictures come to it that its page makes nothing of. */
  undecoded: boolean;
  latencyMs?: number | undefined;
  rttMs?: number | undefined;
  carriesKbps?: number | undefined;
}

/** From capture to display, of what viewers have said in the last ten seconds. */
export interface ViewersLatency {
  p50Ms: number;
  p95Ms: number;
  /** How many say so. */
  viewers: number;
}

export interface ViewersFacts {
  count: number;
  byTransport: Record<ViewerTransport, number>;
  byState: Record<ViewerState, number>;
  latency?: ViewersLatency | undefined;
  /** Those with most trouble first. */
  troubled: TroubledViewer[];
  /** Relays that have not said who watches there: those viewers are missing in all of this. */
  incomplete?: string[] | undefined;
}

const TROUBLED_MAX = 100;

const isViewer = shape<TroubledViewer>({
  session: isCount,
  name: maybe(isText),
  transport: oneOf(VIEWER_TRANSPORTS),
  state: oneOf(VIEWER_STATES),
  stateSinceUs: isCount,
  skips: isFlag,
  undecoded: isFlag,
  latencyMs: maybe(isCount),
  rttMs: maybe(isCount),
  carriesKbps: maybe(isCount),
});

export const isViewers = shape<ViewersFacts>({
  count: isCount,
  byTransport: counts(VIEWER_TRANSPORTS),
  byState: counts(VIEWER_STATES),
  latency: maybe(shape<ViewersLatency>({ p50Ms: isCount, p95Ms: isCount, viewers: isCount })),
  troubled: listOf(isViewer, TROUBLED_MAX),
  incomplete: maybe(listOf(isText, RELAYS_MAX)),
});

/** Throws ApiError. */
export async function readViewers(
  origin: string,
  broadcast: string,
  token: string,
): Promise<ViewersFacts> {
  const url = broadcastUrl(origin, broadcast);
  url.pathname += '/viewers';
  const facts = completed(await call(url, token, { method: 'GET' }));
  if (!isViewers(facts)) throw strange();
  return facts;
}

/** A relay of before knows of no WebSocket. */
function completed(facts: unknown): unknown {
  if (!isRecord(facts) || !isRecord(facts['byTransport'])) return facts;
  return { ...facts, byTransport: { websocket: 0, ...facts['byTransport'] } };
}

function maybe<T>(check: (value: unknown) => value is T) {
  return (value: unknown): value is T | undefined => value === undefined || check(value);
}

function counts<const Name extends string>(names: readonly Name[]) {
  const checks = names.map((name) => [name, isCount]);
  return shape(Object.fromEntries(checks) as Record<Name, typeof isCount>) as (
    value: unknown,
  ) => value is Record<Name, number>;
}
