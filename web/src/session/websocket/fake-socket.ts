/** Two ends of a WebSocket in memory, for tests. */

import type { Socket } from './socket.ts';

/** Browsers take more kinds; QMux sends this one. */
type Data = Uint8Array<ArrayBuffer>;

export class FakeSocket implements Socket {
  binaryType: BinaryType = 'blob';
  bufferedAmount = 0;
  readyState: Socket['readyState'] = 0;
  readonly extensions = '';
  readonly url = 'wss://relay.test/session';
  onopen: Socket['onopen'] = null;
  onmessage: Socket['onmessage'] = null;
  onerror: Socket['onerror'] = null;
  onclose: Socket['onclose'] = null;
  /** While false what is sent stays in the browser. */
  flows = true;
  /** The sizes of what was sent, in order. */
  readonly sent: number[] = [];
  protocol = '';
  #peer: FakeSocket | null = null;
  readonly #held: Data[] = [];

  /** Both are to be opened. */
  static pair(): [FakeSocket, FakeSocket] {
    const ends: [FakeSocket, FakeSocket] = [new FakeSocket(), new FakeSocket()];
    [ends[0].#peer, ends[1].#peer] = [ends[1], ends[0]];
    return ends;
  }

  open(protocol: string): void {
    this.protocol = protocol;
    this.readyState = 1;
    this.#fire(this.onopen, new Event('open'));
  }

  send(data: Parameters<Socket['send']>[0]): void {
    if (!(data instanceof Uint8Array)) throw new TypeError('QMux sends bytes');
    this.sent.push(data.byteLength);
    this.bufferedAmount += data.byteLength;
    this.#held.push(Uint8Array.from(data));
    if (this.flows) this.flow();
  }

  /** What waits goes on its way. */
  flow(): void {
    this.flows = true;
    for (const data of this.#held.splice(0)) this.#peer?.hear(data);
    this.bufferedAmount = 0;
  }

  hear(data: Data): void {
    const { buffer } = data;
    queueMicrotask(() => this.#fire(this.onmessage, new MessageEvent('message', { data: buffer })));
  }

  close(code = 1_005): void {
    if (this.readyState > 1) return;
    this.readyState = 3;
    this.#fire(this.onclose, Object.assign(new Event('close'), { code, reason: '' }) as CloseEvent);
    this.#peer?.close(code);
  }

  #fire<E extends Event>(listener: ((event: E) => void) | null, event: E): void {
    listener?.call(this as unknown as WebSocket, event);
  }
}
