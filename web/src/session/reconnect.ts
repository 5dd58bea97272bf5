/** Keeps a session open: probe, open, run, and again, until that is pointless (PROTOCOL 2.6, 2.8). */

import type { CodeName } from '@steadycast/codec-glue';
import { connectionWords } from '../words/connection.ts';
import { fetchEndpoint, type Health, probe, type RelayEndpoint } from './endpoint.ts';
import { SessionError } from './error.ts';
import { RelaySession, type SessionEnd, type SessionOptions } from './session.ts';

/** Why it will not be tried again. */
export type Refusal =
  /** The relay said no, or ended the session for good. */
  | { kind: 'refused'; code: CodeName | null; message: string }
  | { kind: 'unsupported'; message: string };

/** What is kept open: a session, on whatever transport. */
export interface KeptSession {
  /** Settles once, when the session is over. Never rejects. */
  readonly ended: Promise<SessionEnd>;
  close(code: CodeName, message: string): Promise<void>;
}

export type ConnectionState<S = RelaySession> =
  /** `attempt` counts from 1 since the last session that held. */
  | { kind: 'connecting'; attempt: number }
  /**
   * The relay answers over TCP, and a session is being opened. `brokeOff`: the one before broke off without a word,
   * and the relay has been there all along.
   */
  | { kind: 'opening'; brokeOff: boolean }
  | { kind: 'open'; session: S }
  /**
   * The session, or the attempt at one, failed; the next follows in `retryInMs`. `handshakes`
   * counts attempts in a row that failed although the relay answered over TCP.
   */
  | { kind: 'lost'; reason: string; retryInMs: number; handshakes: number; why: Loss }
  | Refusal;

/** Why there is no session now. */
export type Loss =
  /** It broke off without a word, or the relay ended it for a while. */
  | 'broken'
  /** The relay answers nobody over TCP, or stops. */
  | 'absent'
  /** The relay takes nobody more. */
  | 'full'
  /** The relay answers over TCP, and no session came about. */
  | 'blocked';

export interface KeepOpenOptions<S extends KeptSession> {
  /** The relay's origin, as in `https://relay.example:4443`. */
  origin: string;
  /** Ends it all. */
  signal: AbortSignal;
  /** Called synchronously; `open` comes before anything is read from the session. */
  onState: (state: ConnectionState<S>) => void;
  /** Opens a session. Rejects with SessionError. */
  open: (endpoint: RelayEndpoint) => Promise<S>;
  /** What tests replace. */
  deps?: Partial<ReconnectDeps>;
}

export interface KeepConnectedOptions extends Omit<SessionOptions, 'resume' | 'endpoint'> {
  /** The lineage to send with the next `Hello`. */
  resume?: () => Uint8Array | null;
  onState: (state: ConnectionState) => void;
  /** What tests replace. */
  deps?: Partial<ReconnectDeps> & { open?: (options: SessionOptions) => Promise<RelaySession> };
}

export interface ReconnectDeps {
  probe: (origin: string, signal: AbortSignal) => Promise<Health>;
  fetchEndpoint: (origin: string, signal: AbortSignal) => Promise<RelayEndpoint>;
  sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  random: () => number;
  nowMs: () => number;
}

/** Between probes over TCP, which harm nobody. */
const PROBE_BACKOFF_MS = { first: 100, most: 2_000 };
/** Between handshakes that fail although TCP works: Chromium punishes each per page. */
const HANDSHAKE_BACKOFF_MS = { first: 1_000, most: 15_000 };
/** A session that lasted this long was a good one: backoff starts anew. */
const HELD_MS = 5_000;

type Ended =
  | { kind: 'refusal'; refusal: Refusal }
  | {
      kind: 'retry';
      reason: string;
      fault: Fault;
      atLeastMs: number;
      code?: CodeName | null;
      from?: RelayEndpoint;
    };

/** The relay that a session broke off with; null: none did. */
type Left = Pick<RelayEndpoint, 'startedUs'> | null;

/** broken: an open session broke off without a word. */
type Fault = 'tcp' | 'handshake' | 'session' | 'broken';

/** Keeps a session over WebTransport open; see {@link keepOpen}. */
export function keepConnected(options: KeepConnectedOptions): Promise<Refusal | null> {
  const { open = RelaySession.open, ...deps } = options.deps ?? {};
  return keepOpen<RelaySession>({
    ...options,
    deps,
    open: (endpoint) => open({ ...options, resume: options.resume?.() ?? null, endpoint }),
  });
}

/**
 * Resolves with the refusal that ended it, or null once `signal` aborted; the open session is then
 * closed with `done`. Never rejects.
 */
export async function keepOpen<S extends KeptSession>(
  options: KeepOpenOptions<S>,
): Promise<Refusal | null> {
  const deps = { ...defaultDeps, ...options.deps };
  const { signal, onState } = options;
  let attempt = 0;
  let handshakes = 0;
  let left: Left = null;
  for (;;) {
    attempt += 1;
    onState({ kind: 'connecting', attempt });
    const startedMs = deps.nowMs();
    const ended: Ended = await attemptOnce(options, deps, left).catch((error: unknown) =>
      unexpected(error),
    );
    if (signal.aborted) return null;
    if (ended.kind === 'refusal') {
      onState(ended.refusal);
      return ended.refusal;
    }
    handshakes = ended.fault === 'handshake' ? handshakes + 1 : 0;
    const held = ended.fault === 'session' || ended.fault === 'broken';
    left = ended.fault === 'broken' ? (ended.from ?? null) : null;
    if (held && deps.nowMs() - startedMs >= HELD_MS) attempt = 0;
    const random = deps.random();
    // A relay that restarts tells everyone the same time; they come back spread over a quarter more.
    const asToldMs = Math.round(ended.atLeastMs * (1 + random / 4));
    const retryInMs = Math.max(asToldMs, backoffMs(attempt, handshakes, random));
    onState({ kind: 'lost', reason: ended.reason, retryInMs, handshakes, why: lossOf(ended) });
    await deps.sleep(retryInMs, signal).catch(() => undefined);
    if (signal.aborted) return null;
  }
}

async function attemptOnce<S extends KeptSession>(
  options: KeepOpenOptions<S>,
  deps: ReconnectDeps,
  left: Left,
): Promise<Ended> {
  const { origin, signal, onState } = options;
  const [health, endpoint] = await Promise.all([
    deps.probe(origin, signal),
    deps.fetchEndpoint(origin, signal).catch(() => null),
  ]);
  if (health !== 'ok' || endpoint === null) {
    const words = connectionWords();
    const reason = health === 'draining' ? words.restarting : words.silent;
    return { kind: 'retry', reason, fault: 'tcp', atLeastMs: 0 };
  }
  try {
    // One that was restarted meanwhile took its sessions with it.
    const brokeOff = left !== null && left.startedUs === endpoint.startedUs;
    if (!signal.aborted) onState({ kind: 'opening', brokeOff });
    const ended = await runSession(await options.open(endpoint), options);
    return ended.kind === 'retry' ? { ...ended, from: endpoint } : ended;
  } catch (error) {
    if (error instanceof SessionError) return failed(error);
    throw error;
  }
}

async function runSession<S extends KeptSession>(
  session: S,
  options: KeepOpenOptions<S>,
): Promise<Ended> {
  const { signal, onState } = options;
  const leave = () => void session.close('done', '');
  signal.addEventListener('abort', leave);
  if (signal.aborted) leave();
  else onState({ kind: 'open', session });
  const end = await session.ended;
  signal.removeEventListener('abort', leave);
  return afterEnd(end);
}

function afterEnd(end: SessionEnd): Ended {
  if (end.kind === 'lost') {
    return { kind: 'retry', reason: end.reason, fault: 'broken', atLeastMs: 0 };
  }
  const { code, message, retryAfterMs } = end;
  if (retryAfterMs === null)
    return { kind: 'refusal', refusal: { kind: 'refused', code, message } };
  return { kind: 'retry', reason: message, fault: 'session', atLeastMs: retryAfterMs, code };
}

/** What a relay says that others may take whom it does not. */
const TAKES_NOBODY: ReadonlyMap<CodeName, Loss> = new Map([
  ['too_many', 'full'],
  ['shutting_down', 'absent'],
]);

function lossOf({ fault, code }: Extract<Ended, { kind: 'retry' }>): Loss {
  if (fault === 'tcp') return 'absent';
  if (fault === 'handshake') return 'blocked';
  return (code && TAKES_NOBODY.get(code)) || 'broken';
}

function failed(error: SessionError): Ended {
  const { kind, code, message, retryAfterMs } = error;
  if (kind === 'unsupported') return { kind: 'refusal', refusal: { kind, message } };
  if (kind === 'unreachable') {
    return { kind: 'retry', reason: message, fault: 'handshake', atLeastMs: 0 };
  }
  if (retryAfterMs === null) return { kind: 'refusal', refusal: { kind, code, message } };
  return { kind: 'retry', reason: message, fault: 'session', atLeastMs: retryAfterMs, code };
}

/** A fault of this code must not leave the page without a way back. */
function unexpected(error: unknown): Ended {
  return { kind: 'retry', reason: String(error), fault: 'session', atLeastMs: 1_000 };
}

/** Between half of the step and the whole of it, so that players do not return all at once. */
function backoffMs(attempt: number, handshakes: number, random: number): number {
  const { first, most } = handshakes > 0 ? HANDSHAKE_BACKOFF_MS : PROBE_BACKOFF_MS;
  const steps = handshakes > 0 ? handshakes : attempt;
  const whole = steps === 0 ? first : Math.min(most, first * 2 ** Math.min(steps, 16));
  return Math.round(whole * (0.5 + random / 2));
}

/** A network that is back is worth a try at once. */
function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const finish = (act: () => void) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', aborted);
      globalThis.removeEventListener?.('online', woken);
      act();
    };
    const aborted = () => finish(() => reject(signal.reason));
    const woken = () => finish(resolve);
    const timer = setTimeout(woken, ms);
    signal.addEventListener('abort', aborted);
    globalThis.addEventListener?.('online', woken);
  });
}

const defaultDeps: ReconnectDeps = {
  probe,
  fetchEndpoint,
  sleep,
  random: Math.random,
  nowMs: () => performance.now(),
};
