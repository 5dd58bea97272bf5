/** WebRTC and a relay's HTTP side without either, for tests. */

import type { StatsEntry } from './peer.ts';

/** As much of `MediaStream` as is used; jsdom has none. */
export class FakeMediaStream {
  readonly tracks: unknown[];

  constructor(tracks: unknown[] = []) {
    this.tracks = tracks;
  }
}

/** A connection in the test's hands. */
export class FakeConnection extends EventTarget {
  connectionState: RTCPeerConnectionState = 'new';
  iceConnectionState: RTCIceConnectionState = 'new';
  readonly receiver = { track: {}, jitterBufferTarget: null as number | null };
  readonly descriptions: string[] = [];
  configuration: RTCConfiguration = {};
  stats: StatsEntry = { type: 'inbound-rtp', id: 'v', kind: 'video' };
  closed = false;

  readonly ear = { track: {}, jitterBufferTarget: null as number | null };
  addTransceiver = (kind: string) => ({ receiver: kind === 'audio' ? this.ear : this.receiver });
  createOffer = async () => ({ type: 'offer', sdp: 'offer' });
  getConfiguration = () => this.configuration;
  setConfiguration(configuration: RTCConfiguration): void {
    this.configuration = configuration;
  }
  async setLocalDescription({ sdp }: { sdp: string }): Promise<void> {
    this.descriptions.push(sdp);
  }
  async setRemoteDescription({ sdp }: { sdp: string }): Promise<void> {
    this.descriptions.push(sdp);
  }
  getStats = async () => new Map([['v', this.stats]]);
  close(): void {
    this.closed = true;
    this.connectionState = 'closed';
  }

  become(state: RTCPeerConnectionState): void {
    this.connectionState = state;
    this.dispatchEvent(new Event('connectionstatechange'));
  }

  /** A second of a moving picture. */
  receive(frames = 30): void {
    const { bytesReceived = 0, framesReceived = 0, framesDecoded = 0 } = this.stats;
    this.stats = {
      ...this.stats,
      bytesReceived: bytesReceived + 1_000 * frames,
      framesReceived: framesReceived + frames,
      framesDecoded: framesDecoded + frames,
    };
  }
}

/** Answers offers, tells events, and keeps count of who left. */
export class FakeWhepRelay {
  /** Sessions in the order in which they were made. */
  readonly made: string[] = [];
  readonly left: string[] = [];
  /** What pages have said of what they show; null: it takes none, as relays of before. */
  reports: { session: string; told: unknown }[] | null = [];
  /** Status and body of what the next offers are answered with; 201 when empty. */
  readonly refusals: { status: number; code: string }[] = [];
  /** Sessions that it has forgotten, as after a restart. */
  readonly forgotten = new Set<string>();
  phase = 'live';
  #streams = new Map<string, ReadableStreamDefaultController<Uint8Array>>();

  /** What to put in the place of `fetch`. */
  fetch = async (input: string | URL, init: RequestInit = {}): Promise<Response> => {
    const { pathname } = new URL(input);
    init.signal?.throwIfAborted();
    if (pathname === '/health') return new Response('{}');
    if (pathname === '/api/relay') {
      const relayUs = Math.round((performance.timeOrigin + performance.now()) * 1_000);
      return Response.json({ session: '/session', certificateHashes: [], relayUs });
    }
    if (pathname.endsWith('/report')) return this.#hear(pathname, String(init.body));
    if (init.method === 'POST') return this.#answer(pathname);
    if (init.method === 'DELETE') {
      this.left.push(pathname);
      return new Response('');
    }
    const session = pathname.replace(/\/sse$/, '');
    if (this.forgotten.has(session)) return new Response('', { status: 404 });
    return new Response(this.#events(session, init.signal ?? null));
  };

  /** Tells the listeners of a session, by default the newest. */
  tell(name: string, data: unknown, session = this.made.at(-1) ?? ''): void {
    const text = `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
    this.#streams.get(session)?.enqueue(new TextEncoder().encode(text));
  }

  state(phase: string, session?: string): void {
    this.phase = phase;
    this.tell('state', { phase, sinceUs: 5, epoch: 1, players: 1, relayUs: 7 }, session);
  }

  /** Breaks a session's event stream off. */
  cut(session = this.made.at(-1) ?? ''): void {
    this.#streams.get(session)?.close();
    this.#streams.delete(session);
  }

  #hear(pathname: string, body: string): Response {
    if (this.reports === null) return new Response(null, { status: 404 });
    this.reports.push({ session: pathname.replace(/\/report$/, ''), told: JSON.parse(body) });
    return new Response(null, { status: 204 });
  }

  #answer(pathname: string): Response {
    const refusal = this.refusals.shift();
    if (refusal !== undefined) return Response.json(refusal, { status: refusal.status });
    const session = `${pathname}/${this.made.length + 1}`;
    this.made.push(session);
    const rel = 'urn:ietf:params:whep:ext:core:server-sent-events';
    const headers = { location: session, link: `<${session}/sse>; rel="${rel}"` };
    return new Response('answer', { status: 201, headers });
  }

  #events(session: string, signal: AbortSignal | null): ReadableStream<Uint8Array> {
    return new ReadableStream({
      start: (controller) => {
        this.#streams.set(session, controller);
        signal?.addEventListener('abort', () => {
          if (this.#streams.get(session) !== controller) return;
          this.#streams.delete(session);
          controller.error(signal.reason);
        });
        this.state(this.phase, session);
      },
    });
  }
}
