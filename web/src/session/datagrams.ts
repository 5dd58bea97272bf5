/** A session's datagrams, both ways: what comes late is worth nothing, so nothing waits long (PROTOCOL 9). */

/** The part of WebTransport's datagrams that is used; another carrier has the same shape. */
export interface DatagramDuplex {
  readonly readable: ReadableStream<Uint8Array>;
  /** The specification has moved on to {@link createWritable}; browsers have the one or the other. */
  readonly writable?: WritableStream<Uint8Array>;
  createWritable?(): WritableStream<Uint8Array>;
  /** Milliseconds after which the browser throws away what it could not send; null: its own choice. */
  outgoingMaxAge: number | null;
  /** How many it keeps for a page that is slow to read them. */
  incomingHighWaterMark: number;
}

/** What left the encoder longer ago is not heard any more: it would only delay what follows. */
const MAX_AGE_MS = 200;
/** How many the browser has at a time; it says of each when it was sent or given up. */
const UNDERWAY_MAX = 4;
/**
 * How many wait behind those: a page that was busy for a third of a second gives as many at once, of which none
 * need be lost, for the network was idle meanwhile.
 */
const WAITING_MAX = 12;
/** A page that was busy for a second finds what came meanwhile, and judges its age by itself. */
const INCOMING_MAX = 64;

/** Sends without waiting: where there is no room the oldest that waits makes way, and is counted. */
export class DatagramSender {
  readonly #writer: WritableStreamDefaultWriter<Uint8Array> | null;
  readonly #waiting: Uint8Array[] = [];
  #underway = 0;
  #dropped = 0;
  #closed: boolean;

  /** Undefined: the carrier has none, and nothing goes. */
  constructor(duplex: DatagramDuplex | undefined) {
    const writable = duplex?.createWritable?.() ?? duplex?.writable;
    this.#writer = writable?.getWriter() ?? null;
    this.#closed = this.#writer === null;
    // Failures show as the end of the session.
    this.#writer?.closed.catch(() => undefined);
    if (duplex !== undefined) duplex.outgoingMaxAge = MAX_AGE_MS;
  }

  /** How many were not sent because newer ones came before there was room. */
  get dropped(): number {
    return this.#dropped;
  }

  /** False: this one, or an older one in its place, is not sent. */
  send(bytes: Uint8Array): boolean {
    if (this.#closed) {
      this.#dropped += 1;
      return false;
    }
    this.#waiting.push(bytes);
    this.#pump();
    if (this.#waiting.length <= WAITING_MAX) return true;
    this.#waiting.shift();
    this.#dropped += 1;
    return false;
  }

  /** Nothing goes any more. */
  close(): void {
    this.#closed = true;
    this.#waiting.length = 0;
  }

  #pump(): void {
    while (!this.#closed && this.#underway < UNDERWAY_MAX) {
      const bytes = this.#waiting.shift();
      if (bytes === undefined) return;
      this.#underway += 1;
      this.#writer?.write(bytes).then(this.#sent, this.#sent);
    }
  }

  readonly #sent = (): void => {
    this.#underway -= 1;
    this.#pump();
  };
}

/** Hands over each datagram as it comes, until the session is gone or `take` is false. */
export async function readDatagrams(
  duplex: DatagramDuplex,
  take: (bytes: Uint8Array) => boolean,
): Promise<void> {
  duplex.incomingHighWaterMark = INCOMING_MAX;
  const reader = duplex.readable.getReader();
  reader.closed.catch(() => undefined);
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done || !take(value)) return;
    }
  } catch {
    // The session says by itself that it is gone.
  }
}
