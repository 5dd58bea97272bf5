/** A machine whose encoders take so many times as long as this one's. */

import type { Page } from 'playwright-core';
import { pageScript } from '../src/script.ts';

/** To be called before the page is opened: its workers' scripts begin with it. */
export async function slowEncoders(page: Page, times: number): Promise<void> {
  // Of a script that did not come from this machine's network, the browser thinks the worst.
  await page.context().grantPermissions(['local-network-access']);
  // Init scripts do not run in workers.
  await page.route('**/assets/worker-*.js', async (route) => {
    const answer = await route.fetch();
    const body = `${pageScript([slowDown], times)};\n${await answer.text()}`;
    await route.fulfill({ response: answer, body });
  });
}

function slowDown(times: number): void {
  if (!('VideoEncoder' in globalThis)) return;
  const Real = globalThis.VideoEncoder;
  /** Gives what the real one makes later, one after another. */
  class Slow extends EventTarget {
    static isConfigSupported = Real.isConfigSupported.bind(Real);
    readonly #real: VideoEncoder;
    readonly #begun: number[] = [];
    #lastMs = 0;
    #freeMs = 0;
    #waiting = 0;
    #closed = false;

    constructor({ output, error }: VideoEncoderInit) {
      super();
      this.#real = new Real({
        output: (chunk, metadata) => {
          const nowMs = performance.now();
          const tookMs = nowMs - Math.max(this.#begun.shift() ?? nowMs, this.#lastMs);
          this.#lastMs = nowMs;
          this.#freeMs = Math.max(this.#freeMs, nowMs) + tookMs * (times - 1);
          this.#waiting += 1;
          setTimeout(() => {
            this.#waiting -= 1;
            if (this.#closed) return;
            output(chunk, metadata);
            this.dispatchEvent(new Event('dequeue'));
          }, this.#freeMs - nowMs);
        },
        error,
      });
    }
    get state(): CodecState {
      return this.#real.state;
    }
    get encodeQueueSize(): number {
      return this.#real.encodeQueueSize + this.#waiting;
    }
    configure(config: VideoEncoderConfig): void {
      this.#real.configure(config);
    }
    encode(frame: VideoFrame, options?: VideoEncoderEncodeOptions): void {
      this.#begun.push(performance.now());
      this.#real.encode(frame, options);
    }
    close(): void {
      this.#closed = true;
      this.#real.close();
    }
  }
  Object.defineProperty(globalThis, 'VideoEncoder', { value: Slow });
}
