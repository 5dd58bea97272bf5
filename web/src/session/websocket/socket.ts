/**
 * A WebSocket as a pair of streams, with bounds of our own. A browser's own `WebSocketStream` has no say in how
 * much waits in it, and each write of it that waits would have QMux throw datagrams away, uncounted.
 */

/** The part of a browser's WebSocket that is used. */
export type Socket = Pick<
  WebSocket,
  | 'binaryType'
  | 'bufferedAmount'
  | 'readyState'
  | 'protocol'
  | 'extensions'
  | 'url'
  | 'send'
  | 'close'
  | 'onopen'
  | 'onmessage'
  | 'onerror'
  | 'onclose'
>;

/** What a stream of a WebSocket carries. */
type Message = Uint8Array | string;

/**
 * So many bytes may wait in the browser before the next message does. Less would leave a fast network idle between
 * two looks; of more, sound would come late, for it cannot overtake what the browser has.
 */
const BUFFERED_BYTES = 32_768;
/** No event tells that there is room again. */
const LOOK_EVERY_MS = 4;
/** With two places one message may be written while the next one is accepted. */
const PLACES = 2;
const OPEN = 1;

export class SocketStreams {
  readonly url: string;
  /** Rejects where the socket does not open, or opens with another subprotocol. */
  readonly opened: Promise<{
    readable: ReadableStream<Message>;
    writable: WritableStream<Message>;
    extensions: string;
    protocol: string;
  }>;
  readonly closed: Promise<{ closeCode: number; reason: string }>;
  readonly #socket: Socket;
  #waiting: (() => void)[] = [];
  #timer: ReturnType<typeof setInterval> | undefined;

  /** Takes the socket over, which has just been made. */
  constructor(socket: Socket, protocol: string) {
    this.url = socket.url;
    this.#socket = socket;
    socket.binaryType = 'arraybuffer';
    const readable = this.#readable();
    this.closed = new Promise((resolve) => {
      socket.onclose = ({ code, reason }) => {
        this.#wake();
        readable.end();
        resolve({ closeCode: code, reason });
      };
    });
    this.opened = new Promise((resolve, reject) => {
      socket.onopen = () => {
        const { extensions } = socket;
        const streams = { readable: readable.stream, writable: this.#writable() };
        if (socket.protocol === protocol) resolve({ ...streams, extensions, protocol });
        else this.close();
      };
      void this.closed.then(({ closeCode }) => reject(new Error(`closed with ${closeCode}`)));
    });
    this.opened.catch(() => undefined);
  }

  close(): void {
    this.#socket.close();
  }

  /** Resolves once there is room for more, or once there will be none. */
  async room(): Promise<void> {
    if (this.#hasRoom) return;
    this.#timer ??= setInterval(() => {
      if (this.#hasRoom) this.#wake();
    }, LOOK_EVERY_MS);
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  get #hasRoom(): boolean {
    const { bufferedAmount, readyState } = this.#socket;
    return bufferedAmount <= BUFFERED_BYTES || readyState > OPEN;
  }

  #wake(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    for (const go of this.#waiting.splice(0)) go();
  }

  /** What comes is taken at once; what QMux lets the other side send bounds how much that is. */
  #readable(): { stream: ReadableStream<Message>; end: () => void } {
    let controller: ReadableStreamDefaultController<Message> | null = null;
    const stream = new ReadableStream<Message>({
      start: (own) => {
        controller = own;
      },
      cancel: () => {
        controller = null;
        this.close();
      },
    });
    this.#socket.onmessage = ({ data }: MessageEvent<ArrayBuffer | string>) => {
      controller?.enqueue(typeof data === 'string' ? data : new Uint8Array(data));
    };
    const end = () => {
      controller?.close();
      controller = null;
    };
    return { stream, end };
  }

  #writable(): WritableStream<Message> {
    return new WritableStream<Message>(
      {
        write: async (message) => {
          if (this.#socket.readyState !== OPEN) throw new Error('the socket is closed');
          this.#socket.send(message as Uint8Array<ArrayBuffer> | string);
          await this.room();
        },
        close: () => this.close(),
        abort: () => this.close(),
      },
      { highWaterMark: PLACES },
    );
  }
}
