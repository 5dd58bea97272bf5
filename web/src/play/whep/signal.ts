/** WHEP's requests: the offer that begins a session, and its end (PROTOCOL 8). */

import { CODES, type CodecKind, PROTOCOL_VERSION } from '@steadycast/codec-glue';
import { deadline } from '../../session/deadline.ts';
import { knownCode, SessionError, unreachable } from '../../session/error.ts';
import { isRecord, isText } from '../../session/parse.ts';
import { at } from '../../session/place.ts';

export interface Offer {
  /** The relay's origin. */
  origin: string;
  broadcast: string;
  /** A play token. */
  token: string;
  sdp: string;
  /** What the page decodes, where it opens frames itself and wants no others (PROTOCOL 12.10). */
  carries?: readonly CodecKind[] | undefined;
}

/** What the relay answers; addresses are absolute. */
export interface Answer {
  sdp: string;
  /** The session, to be deleted at the end. */
  session: string;
  /** Its event stream; null: there is none. */
  events: string | null;
  iceServers: RTCIceServer[];
}

export interface Link {
  url: string;
  params: ReadonlyMap<string, string>;
}

const TIMEOUT_MS = 8_000;
/** An attribute of the session, in offer and answer. */
const FRAMES = 'a=steadycast-frames:';
const EVENTS_REL = 'urn:ietf:params:whep:ext:core:server-sent-events';
/** When the relay wants another try, but says not when. */
const RETRY_MS = 2_000;

/**
 * Offers to receive. Throws SessionError. It cannot be aborted: the relay would have a session that
 * nobody knows of; who wants it no more leaves once it is answered.
 */
export async function offer(request: Offer): Promise<Answer> {
  const { origin, broadcast, token, sdp, carries } = request;
  const url = at(origin, `${encodeURIComponent(broadcast)}/whep`);
  const init = {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/sdp' },
    body: carries === undefined ? sdp : wantingFrames(sdp, carries),
  };
  const response = await sendOn(url, init);
  if (response.status !== 201) throw await refusal(response);
  const location = response.headers.get('location');
  if (location === null) throw unreachable('the relay named no session');
  const links = parseLinks(response.headers.get('link') ?? '', response.url || url.href);
  const session = new URL(location, response.url || url).href;
  const answer = await response.text();
  if (carries !== undefined && !answer.includes(FRAMES)) {
    leave(session, token);
    throw new SessionError('unsupported', 'this relay sends no frames over WebRTC');
  }
  return {
    sdp: answer,
    session,
    events: links.find(({ params }) => params.get('rel') === EVENTS_REL)?.url ?? null,
    iceServers: links.filter(({ params }) => params.get('rel') === 'ice-server').map(iceServer),
  };
}

/** The offer, in which the page wants frames that it opens itself. */
export function wantingFrames(sdp: string, codecs: readonly CodecKind[]): string {
  const line = `${FRAMES}${[PROTOCOL_VERSION, ...codecs].join(' ')}\r\n`;
  return sdp.replace(/^m=/m, `${line}m=`);
}

/** Asks for a keyframe for a page that opens frames itself. */
export async function askForKeyframe(session: string): Promise<void> {
  // It is asked for again where nothing comes of it.
  await send(new URL(`${session}/keyframe`), { method: 'POST' }).catch(() => undefined);
}

/** Ends a session; also while the page goes away. Whether it arrives nobody waits for. */
export function leave(session: string, token: string): void {
  const headers = { authorization: `Bearer ${token}` };
  const init = { method: 'DELETE', headers, credentials: 'omit', keepalive: true } as const;
  fetch(session, init).catch(() => undefined);
}

/** What a page shows, since its session began (PROTOCOL 8.9). */
export interface Told {
  received: number;
  decoded: number;
  shown: number;
  /** Left out where it is not known. */
  latencyMs?: number;
}

/** Says so; false where the relay takes no reports, as those of before. One that is silent may. */
export async function tell(session: string, told: Told): Promise<boolean> {
  const headers = { 'content-type': 'application/json' };
  const init = { method: 'POST', headers, body: JSON.stringify(told) };
  try {
    const { status } = await send(new URL(`${session}/report`), init);
    return status !== 404 && status !== 405;
  } catch {
    return true;
  }
}

/** The links of a `Link` header (RFC 8288), resolved against `base`. */
export function parseLinks(header: string, base: string): Link[] {
  const links = header.matchAll(/<([^>]*)>((?:\s*;\s*[^=;,\s]+\s*=\s*(?:"[^"]*"|[^;,\s]*))*)/g);
  return [...links].flatMap(([, target = '', rest = '']) => {
    const url = resolve(target, base);
    if (url === null) return [];
    const params = rest.matchAll(/;\s*([^=;,\s]+)\s*=\s*(?:"([^"]*)"|([^;,\s]*))/g);
    const named = [...params].map(([, name = '', quoted, plain]) => {
      return [name.toLowerCase(), quoted ?? plain ?? ''] as const;
    });
    return [{ url, params: new Map(named) }];
  });
}

function resolve(target: string, base: string): string | null {
  try {
    return new URL(target, base).href;
  } catch {
    return null;
  }
}

function iceServer({ url, params }: Link): RTCIceServer {
  const username = params.get('username');
  const credential = params.get('credential');
  return {
    urls: url,
    ...(username !== undefined && { username }),
    ...(credential !== undefined && { credential }),
  };
}

async function send(url: URL, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, {
      ...init,
      cache: 'no-store',
      credentials: 'omit',
      signal: deadline(new AbortController().signal, TIMEOUT_MS),
    });
  } catch (error) {
    throw unreachable('the relay does not answer', error);
  }
}

/** Browsers do not tell another relay the token when they are sent there. */
async function sendOn(url: URL, init: RequestInit): Promise<Response> {
  const response = await send(url, init);
  const away = response.redirected && response.status === 401;
  return away ? send(new URL(response.url), init) : response;
}

async function refusal(response: Response): Promise<SessionError> {
  const { status } = response;
  const body: unknown = await response.json().catch(() => null);
  const problem = isRecord(body) ? body : {};
  const code = knownCode(problem['code']);
  const said = isText(problem['detail']) ? problem['detail'] : `the relay answered ${status}`;
  if (isImpossible(status, code)) return new SessionError('unsupported', said);
  const afterMs = retryAfterMs(response.headers.get('retry-after'));
  if (afterMs !== null) return new SessionError('refused', said, { code, retryAfterMs: afterMs });
  // Something between here and the relay answered.
  if (code === null) return unreachable(said);
  const retryAfter = CODES[code].retries ? RETRY_MS : null;
  return new SessionError('refused', said, { code, retryAfterMs: retryAfter });
}

/** Whether this relay has no WebRTC, or none that this browser could speak. */
function isImpossible(status: number, code: string | null): boolean {
  return [405, 415, 422, 501].includes(status) || (status === 404 && code !== 'unknown_broadcast');
}

function retryAfterMs(seconds: string | null): number | null {
  const value = seconds === null || seconds.trim() === '' ? Number.NaN : Number(seconds);
  return Number.isFinite(value) && value >= 0 ? value * 1_000 : null;
}
