/** One session with a relay: control stream, heartbeat, clock, group streams (PROTOCOL 1, 2). */

import {
  agree,
  type ClientMessage,
  CODES,
  type CodeName,
  ControlParser,
  codeName,
  encodeClientMessage,
  PROTOCOL_VERSION,
  PROTOCOL_VERSION_MIN,
  type RelayGoodbye,
  type RelayMessage,
  type Role,
  type Status,
  type Welcome,
  WireError,
} from '@steadycast/codec-glue';
import { connectionWords } from '../words/connection.ts';
import { localUs, RelayClock } from './clock.ts';
import { DatagramSender, readDatagrams } from './datagrams.ts';
import { fetchEndpoint, type RelayEndpoint } from './endpoint.ts';
import { SessionError, unreachable } from './error.ts';
import { Heartbeat } from './heartbeat.ts';
import { pause } from './pause.ts';
import {
  type CarrierName,
  type Connect,
  connectWebTransport,
  settled,
  type Transport,
} from './transport.ts';

export interface SessionOptions {
  /** The relay's origin, as in `https://relay.example:4443`. */
  origin: string;
  role: Role;
  token: string;
  /** A name for the relay's log. */
  agent: string;
  /** A publisher's lineage from an earlier `Welcome` (PROTOCOL 3.3). */
  resume: Uint8Array | null;
  /** Ends the attempt to open; an open session is ended with `close`. */
  signal: AbortSignal;
  /** Saves asking for it when the caller just did. */
  endpoint?: RelayEndpoint;
  /** Another carrier than WebTransport. */
  connect?: Connect;
}

export type SessionEnd =
  | {
      kind: 'goodbye';
      by: 'relay' | 'client';
      /** null: a code that this version does not know. */
      code: CodeName | null;
      message: string;
      /** When to reconnect; null: not by oneself. */
      retryAfterMs: number | null;
    }
  | { kind: 'lost'; reason: string };

const WELCOME_TIMEOUT_MS = 5_000;
/** How long a goodbye may take to leave before the session closes on it. */
const GOODBYE_TIMEOUT_MS = 200;
/** After so long a silence it is asked out of turn whether the relay lives, where there are others to go to. */
const ASK_AFTER_MS = 400;
const ASK_EVERY_MS = 200;
const HEARTBEAT_MIN_MS = 100;
const HEARTBEAT_MAX_MS = 15_000;

export class RelaySession {
  readonly welcome: Welcome;
  /** Estimates the relay's clock; better with every pong. */
  readonly clock: RelayClock;
  /** Settles once, when the session is over, whatever the reason. Never rejects. */
  readonly ended: Promise<SessionEnd>;

  readonly #transport: Transport;
  readonly #control: ControlChannel;
  readonly #heartbeat: Heartbeat;
  readonly #datagrams: DatagramSender;
  #onDatagram: ((bytes: Uint8Array) => void) | null = null;
  #readsDatagrams = false;
  readonly #listeners = new Set<(message: RelayMessage) => void>();
  /**
   * What came before anybody listened, by {@link matter}: of each matter the newest, which makes
   * what came before it worthless, so that this never holds more than there are matters.
   */
  readonly #unheard = new Map<string, RelayMessage>();
  #status: Status;
  #rttUs: number;
  #pings = 0;
  #timer: ReturnType<typeof setInterval> | undefined;
  #asking: ReturnType<typeof setInterval> | undefined;
  #askedMs = 0;
  #over = false;
  readonly #settle: (end: SessionEnd) => void;

  private constructor(transport: Transport, control: ControlChannel, hello: Greeting) {
    this.#transport = transport;
    this.#control = control;
    this.#datagrams = new DatagramSender(transport.datagrams);
    this.welcome = hello.welcome;
    this.#status = hello.welcome.status;
    const relayUs = hello.welcome.relayUs;
    this.clock = new RelayClock({ sentUs: hello.sentUs, receivedUs: hello.receivedUs, relayUs });
    this.#rttUs = this.clock.rttUs;
    const { promise, resolve } = deferred<SessionEnd>();
    this.ended = promise;
    this.#settle = resolve;
    const intervalMs = clamp(hello.welcome.heartbeatMs, HEARTBEAT_MIN_MS, HEARTBEAT_MAX_MS);
    this.#heartbeat = new Heartbeat(intervalMs, performance.now());
    this.#ping();
    this.#timer = setInterval(() => this.#tick(), intervalMs);
    transport.closed.then(
      () => this.#end({ kind: 'lost', reason: connectionWords().closed }),
      (error: unknown) => this.#end({ kind: 'lost', reason: reasonOf(error) }),
    );
    void this.#listen();
  }

  /** Opens a session and waits for the relay's welcome. Throws SessionError, or the abort's reason. */
  static async open(options: SessionOptions): Promise<RelaySession> {
    const { origin, signal, connect = connectWebTransport } = options;
    const endpoint = options.endpoint ?? (await fetchEndpoint(origin, signal));
    const version = spoken(endpoint);
    const transport = await connect(endpoint, signal);
    try {
      // Over WebSocket a stream waits for what the relay has to say first.
      const opened = ControlChannel.open(transport);
      const control = await settled(opened, WELCOME_TIMEOUT_MS, signal);
      const greeting = await settled(greet(control, options, version), WELCOME_TIMEOUT_MS, signal);
      return new RelaySession(transport, control, greeting);
    } catch (error) {
      transport.close();
      signal.throwIfAborted();
      if (error instanceof SessionError) throw error;
      throw unreachable(connectionWords().unwelcome(reasonOf(error)), error);
    }
  }

  /** What it runs on. */
  get carrier(): CarrierName {
    return this.#transport.carrier ?? 'webtransport';
  }

  /** The newest status of the broadcast. */
  get status(): Status {
    return this.#status;
  }

  /** The newest round trip. */
  get rttUs(): number {
    return this.#rttUs;
  }

  /**
   * Every message after the welcome, pongs included. Of what came before the first listener, it is
   * given the newest of each matter at once. Returns how to stop listening.
   */
  onMessage(listener: (message: RelayMessage) => void): () => void {
    this.#listeners.add(listener);
    const unheard = [...this.#unheard.values()];
    this.#unheard.clear();
    for (const message of unheard) listener(message);
    return () => this.#listeners.delete(listener);
  }

  /** The newest status at once, then every change. Returns how to stop listening. */
  onStatus(listener: (status: Status) => void): () => void {
    listener(this.#status);
    return this.onMessage((message) => {
      if (message.type === 'status') listener(message.status);
    });
  }

  /** Sends a control message; after the end it does nothing. Throws WireError for a bad message. */
  send(message: ClientMessage): void {
    const bytes = encodeClientMessage(message);
    if (!this.#over) this.#control.write(bytes);
  }

  /**
   * Sends a datagram, or leaves it: it never waits, and old ones make way for new ones. False: one was
   * left, which is counted.
   */
  sendDatagram(bytes: Uint8Array): boolean {
    return this.#datagrams.send(bytes);
  }

  /** How many datagrams were left because there was no room for them. */
  get datagramsLeft(): number {
    return this.#datagrams.dropped;
  }

  /**
   * Every datagram from now on, one listener at a time; null: nobody listens, and what comes is dropped.
   * Before the first listener the browser keeps a few.
   */
  onDatagram(listener: ((bytes: Uint8Array) => void) | null): void {
    this.#onDatagram = listener;
    const { datagrams } = this.#transport;
    if (listener === null || datagrams === undefined || this.#readsDatagrams) return;
    this.#readsDatagrams = true;
    void readDatagrams(datagrams, (bytes) => this.#takeDatagram(bytes));
  }

  /** For players: the group streams, in the order in which they are accepted. */
  groups(): ReadableStream<ReadableStream<Uint8Array>> {
    return this.#transport.incomingUnidirectionalStreams;
  }

  /** To be called for bytes on group streams: they are a sign of life as well. */
  heard(): void {
    this.#heartbeat.heard(performance.now());
  }

  /** How long nothing was heard from the relay. */
  get silentMs(): number {
    return this.#heartbeat.silentMs(performance.now());
  }

  /**
   * For publishers: a new unidirectional stream with nothing on it yet; the first bytes are
   * `groupPreamble()`. `writer.ready` is the back-pressure; do not await `writer.close()`.
   */
  async openGroup(): Promise<WritableStreamDefaultWriter<Uint8Array>> {
    return (await this.#transport.createUnidirectionalStream()).getWriter();
  }

  /** Says goodbye, closes, and settles `ended`. */
  async close(code: CodeName, message: string): Promise<void> {
    if (this.#over) return;
    const goodbye = { type: 'goodbye', code: CODES[code].number, message } as const;
    this.#control.write(encodeClientMessage(goodbye));
    this.#stop();
    await Promise.race([this.#control.finish(), pause(GOODBYE_TIMEOUT_MS)]);
    this.#transport.close({ closeCode: CODES[code].number, reason: message });
    this.#settle({ kind: 'goodbye', by: 'client', code, message, retryAfterMs: null });
  }

  async #listen(): Promise<void> {
    try {
      for (;;) {
        const message = await this.#control.read(() => this.heard());
        if (message === null) break;
        if (this.#over) return;
        this.#receive(message);
      }
      this.#end({ kind: 'lost', reason: connectionWords().closed });
    } catch (error) {
      if (error instanceof WireError) await this.close(error.code, error.message.slice(0, 80));
      else this.#end({ kind: 'lost', reason: reasonOf(error) });
    }
  }

  #takeDatagram(bytes: Uint8Array): boolean {
    if (this.#over) return false;
    this.heard();
    this.#onDatagram?.(bytes);
    return true;
  }

  #receive(message: RelayMessage): void {
    if (message.type === 'pong') this.#receivePong(message.sentUs, message.relayUs);
    if (message.type === 'status') this.#status = message.status;
    if (message.type === 'relays') this.#ask(message.relays.length > 0);
    if (this.#listeners.size === 0) this.#keep(message);
    for (const listener of this.#listeners) listener(message);
    if (message.type === 'goodbye') this.#end(goodbyeEnd(message));
    if (message.type === 'welcome') throw new WireError('out_of_order', 'a second welcome');
  }

  #keep(message: RelayMessage): void {
    const key = matter(message);
    // Behind the others: they are told in the order in which they came.
    this.#unheard.delete(key);
    this.#unheard.set(key, message);
  }

  #receivePong(sentUs: number, relayUs: number): void {
    const receivedUs = localUs();
    this.#rttUs = Math.max(0, receivedUs - sentUs);
    this.clock.add({ sentUs, receivedUs, relayUs });
  }

  #tick(): void {
    if (this.#heartbeat.tick(performance.now()) === 'dead') {
      this.#end({ kind: 'lost', reason: connectionWords().unheard });
    } else {
      this.#ping();
    }
  }

  /** A relay that is silent is left for another one soon: no silence is to be for want of a question. */
  #ask(others: boolean): void {
    clearInterval(this.#asking);
    if (!others) return;
    this.#asking = setInterval(() => {
      const nowMs = performance.now();
      if (this.silentMs < ASK_AFTER_MS || nowMs - this.#askedMs < ASK_AFTER_MS) return;
      this.#askedMs = nowMs;
      this.#ping();
    }, ASK_EVERY_MS);
  }

  #ping(): void {
    this.#pings += 1;
    this.send({ type: 'ping', sequence: this.#pings, sentUs: localUs() });
  }

  #stop(): void {
    this.#over = true;
    this.#datagrams.close();
    this.#onDatagram = null;
    clearInterval(this.#timer);
    clearInterval(this.#asking);
    this.#unheard.clear();
  }

  #end(end: SessionEnd): void {
    if (this.#over) return;
    this.#stop();
    this.#transport.close();
    this.#settle(end);
  }
}

/** What a message is about: the newest on one matter says all that is to be known of it. */
function matter(message: RelayMessage): string {
  return message.type === 'keyframeRequest' ? `${message.type} ${message.track}` : message.type;
}

interface Greeting {
  welcome: Welcome;
  sentUs: number;
  receivedUs: number;
}

/** The newest version that this page and the relay both speak (PROTOCOL 2.11). Throws SessionError. */
function spoken({ versions }: RelayEndpoint): number {
  const version = agree(versions);
  if (version !== null) return version;
  const { min, max } = versions;
  throw unspoken(min === max ? `version ${max}` : `versions ${min} to ${max}`);
}

function unspoken(relays: string): SessionError {
  const pages = `versions ${PROTOCOL_VERSION_MIN} to ${PROTOCOL_VERSION}`;
  return new SessionError('refused', `the relay speaks ${relays}, and this page ${pages}`, {
    code: 'unsupported_version',
  });
}

/** Sends `Hello` and waits for the answer. */
async function greet(
  control: ControlChannel,
  options: SessionOptions,
  version: number,
): Promise<Greeting> {
  const { role, token, agent, resume } = options;
  const hello = { type: 'hello', version, role, token, agent, resume } as const;
  const bytes = encodeClientMessage(hello);
  const sentUs = localUs();
  control.write(bytes);
  const answer = await control.read(() => undefined);
  const receivedUs = localUs();
  if (answer?.type === 'welcome') {
    // It may have been replaced by an older one since it said what it speaks.
    const known = answer.version >= PROTOCOL_VERSION_MIN && answer.version <= version;
    if (known) return { welcome: answer, sentUs, receivedUs };
    throw unspoken(`version ${answer.version}`);
  }
  if (answer?.type === 'goodbye') {
    const { message, retryAfterMs } = answer;
    throw new SessionError('refused', message, { code: codeName(answer.code), retryAfterMs });
  }
  throw unreachable(connectionWords().strange);
}

/** The bidirectional stream of control messages. */
class ControlChannel {
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #parser = ControlParser.relay();

  private constructor(writable: WritableStream<Uint8Array>, readable: ReadableStream<Uint8Array>) {
    this.#writer = writable.getWriter();
    this.#reader = readable.getReader();
    // Failures show as the end of the session.
    this.#writer.closed.catch(() => undefined);
    this.#reader.closed.catch(() => undefined);
  }

  static async open(transport: Transport): Promise<ControlChannel> {
    const { writable, readable } = await transport.createBidirectionalStream();
    return new ControlChannel(writable, readable);
  }

  write(bytes: Uint8Array): void {
    this.#writer.write(bytes).catch(() => undefined);
  }

  /** The next message, or null at the end of the stream. */
  async read(heard: () => void): Promise<RelayMessage | null> {
    for (;;) {
      const message = this.#parser.next();
      if (message !== null) return message;
      const { value, done } = await this.#reader.read();
      if (done) {
        this.#parser.finish();
        return null;
      }
      heard();
      this.#parser.push(value);
    }
  }

  /** Ends the client's side once everything written has left. */
  async finish(): Promise<void> {
    await this.#writer.close().catch(() => undefined);
  }
}

function goodbyeEnd({ code, message, retryAfterMs }: RelayGoodbye): SessionEnd {
  return { kind: 'goodbye', by: 'relay', code: codeName(code), message, retryAfterMs };
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function clamp(value: number, min: number, max: number): number {
  return Math.min(max, Math.max(min, value));
}

function deferred<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => undefined;
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
