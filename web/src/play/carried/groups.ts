/** Makes of carried frames the group streams that a session over WebTransport has (PROTOCOL 4.1). */

import { type Carried, groupPreamble, WireError } from '@steadycast/codec-glue';
import { FrameLine } from './frame-line.ts';

type Bytes = Uint8Array;

export class CarriedGroups {
  readonly streams: ReadableStream<ReadableStream<Bytes>>;
  readonly #line = new FrameLine();
  #out: ReadableStreamDefaultController<ReadableStream<Bytes>> | null = null;
  #group: ReadableStreamDefaultController<Bytes> | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    this.streams = new ReadableStream({
      start: (controller) => {
        this.#out = controller;
      },
    });
  }

  take(frame: Carried): void {
    if (this.#out === null) return;
    const nowMs = performance.now();
    for (const next of this.#line.push(frame, nowMs)) this.#write(next);
    this.#wait(nowMs);
  }

  /** Nothing comes any more. */
  close(): void {
    clearTimeout(this.#timer);
    this.#end();
    this.#out?.close();
    this.#out = null;
  }

  #write({ keyframe, frame }: Carried): void {
    if (keyframe) this.#open();
    try {
      this.#group?.enqueue(frame);
    } catch {
      // Whoever reads it has given it up.
      this.#group = null;
    }
  }

  #open(): void {
    this.#end();
    const stream = new ReadableStream<Bytes>({
      start: (controller) => {
        controller.enqueue(groupPreamble());
        this.#group = controller;
      },
      cancel: () => {
        this.#group = null;
      },
    });
    this.#out?.enqueue(stream);
  }

  #end(): void {
    this.#group?.close();
    this.#group = null;
  }

  /** Gives the group up when a frame of it has been missing for long. */
  #wait(nowMs: number): void {
    clearTimeout(this.#timer);
    if (this.#line.lost(nowMs)) {
      this.#group?.error(new WireError('out_of_order', 'a frame that never came'));
      this.#group = null;
    }
    const { dueMs } = this.#line;
    if (dueMs !== null) {
      this.#timer = setTimeout(() => this.#wait(performance.now()), dueMs - nowMs);
    }
  }
}
