/** A relay's end of a session in memory, for tests. */

import {
  type ClientMessage,
  ControlParser,
  encodeRelayMessage,
  type RelayMessage,
  type Welcome,
} from '@steadycast/codec-glue';
import type { DatagramDuplex } from './datagrams.ts';
import type { Transport } from './transport.ts';

export const WELCOME: Welcome = {
  type: 'welcome',
  version: 2,
  session: 7,
  broadcast: 'b',
  resume: null,
  heartbeatMs: 1_000,
  relayUs: 1_000_000,
  status: { phase: 'live', sinceUs: 1, epoch: 3, players: 2 },
};

export class FakeRelay {
  /** Everything the client said, in order. */
  readonly heard: ClientMessage[] = [];
  readonly transport: Transport;
  /** What `close` was called with. */
  closedWith: { closeCode?: number; reason?: string } | null = null;
  #answer: (message: ClientMessage) => RelayMessage | null;
  #control: ReadableStreamDefaultController<Uint8Array> | undefined;
  /** The datagrams that have left the client, in order. */
  readonly datagrams: Uint8Array[] = [];
  /** While false no datagram leaves the client. */
  takesDatagrams = true;
  #takeDatagrams: () => void = () => undefined;
  #incoming: ReadableStreamDefaultController<Uint8Array> | undefined;
  #groups: ReadableStreamDefaultController<ReadableStream<Uint8Array>> | undefined;
  #lose: (error: Error) => void = () => undefined;
  #close: () => void = () => undefined;

  /** `answer` says what the relay replies to each message. */
  constructor(answer: (message: ClientMessage) => RelayMessage | null = welcoming) {
    this.#answer = answer;
    const closed = new Promise<void>((resolve, reject) => {
      this.#close = resolve;
      this.#lose = reject;
    });
    closed.catch(() => undefined);
    this.transport = {
      ready: Promise.resolve(),
      closed,
      incomingUnidirectionalStreams: new ReadableStream({
        start: (controller) => {
          this.#groups = controller;
        },
      }),
      datagrams: this.#openDatagrams(),
      createBidirectionalStream: async () => this.#openControl(),
      createUnidirectionalStream: async () => new WritableStream(),
      close: (info) => {
        this.closedWith ??= info ?? {};
        this.#close();
      },
    };
  }

  say(message: RelayMessage): void {
    this.sayBytes(encodeRelayMessage(message));
  }

  sayBytes(bytes: Uint8Array): void {
    this.#control?.enqueue(bytes);
  }

  endControl(): void {
    this.#control?.close();
  }

  openGroup(stream: ReadableStream<Uint8Array>): void {
    this.#groups?.enqueue(stream);
  }

  sayDatagram(bytes: Uint8Array): void {
    this.#incoming?.enqueue(bytes);
  }

  /** There is room again for those that waited. */
  takeDatagrams(): void {
    this.takesDatagrams = true;
    this.#takeDatagrams();
  }

  /** The network is gone. */
  lose(): void {
    this.#lose(new Error('Connection lost.'));
  }

  #openDatagrams(): DatagramDuplex {
    return {
      outgoingMaxAge: null,
      incomingHighWaterMark: 1,
      readable: new ReadableStream<Uint8Array>({
        start: (controller) => {
          this.#incoming = controller;
        },
      }),
      writable: new WritableStream<Uint8Array>({
        write: async (bytes) => {
          while (!this.takesDatagrams) {
            await new Promise<void>((resolve) => {
              this.#takeDatagrams = resolve;
            });
          }
          this.datagrams.push(bytes);
        },
      }),
    };
  }

  #openControl() {
    const parser = ControlParser.client();
    const readable = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#control = controller;
      },
    });
    const writable = new WritableStream<Uint8Array>({
      write: (chunk) => {
        parser.push(chunk);
        for (let message = parser.next(); message !== null; message = parser.next()) {
          this.heard.push(message);
          const reply = this.#answer(message);
          if (reply !== null) this.say(reply);
        }
      },
    });
    return { readable, writable };
  }
}

/** Welcomes and answers pings, as a healthy relay does. */
export function welcoming(message: ClientMessage): RelayMessage | null {
  if (message.type === 'hello') return WELCOME;
  if (message.type !== 'ping') return null;
  return { type: 'pong', sequence: message.sequence, sentUs: message.sentUs, relayUs: 2_000_000 };
}
