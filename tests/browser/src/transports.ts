/** Players' pages whose browser lacks a transport, or whose network swallows one. */

import type { Page } from 'playwright-core';
import { pageScript } from './script.ts';

/**
 * none: as where there is no WebTransport; mute: its handshake is never answered, as without UDP; alone: there is
 * nothing beside it; tcp: there is neither WebTransport nor WebRTC. But for `works` and `tcp` there is no WebSocket,
 * which a player on a busy machine would try too.
 */
export type WebTransportFate = 'works' | 'none' | 'mute' | 'alone' | 'tcp';

/** What each takes away from a page; workers are told by their page what to go by. */
const TAKEN: Record<WebTransportFate, readonly string[]> = {
  works: [],
  none: ['WebTransport', 'WebSocket'],
  mute: ['WebSocket'],
  alone: ['RTCPeerConnection', 'WebSocket'],
  tcp: ['WebTransport', 'RTCPeerConnection'],
};

declare global {
  interface Window {
    /** Every peer connection that the page has made. */
    peers?: RTCPeerConnection[];
  }
}

/**
 * To be called before the page is opened; in any case `window.peers` is there then. `keeps`: what is left to a page that
 * has a use of its own for it.
 */
export async function doom(
  page: Page,
  fate: WebTransportFate,
  keeps: readonly string[] = [],
): Promise<void> {
  await page.addInitScript({ content: pageScript([collectPeers], null) });
  for (const name of TAKEN[fate].filter((one) => !keeps.includes(one))) {
    await page.addInitScript({ content: `delete globalThis.${name};` });
  }
  if (fate !== 'mute') return;
  // The session is opened by a worker, which runs no init scripts.
  await page.route('**/assets/worker-*.js', async (route) => {
    const answer = await route.fetch();
    const body = `${pageScript([muteWebTransport], null)};\n${await answer.text()}`;
    await route.fulfill({ response: answer, body });
  });
}

function collectPeers(): void {
  const peers: RTCPeerConnection[] = [];
  Object.defineProperty(window, 'peers', { value: peers });
  window.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(configuration?: RTCConfiguration) {
      super(configuration);
      peers.push(this);
    }
  };
}

function muteWebTransport(): void {
  const never = new Promise(() => undefined);
  const mute = class {
    ready = never;
    closed = never;
    close(): void {}
  };
  Object.defineProperty(globalThis, 'WebTransport', { value: mute });
}

/** What the page's peer connections are like, in the order in which they were made. */
export function peerStates(page: Page): Promise<string[]> {
  return page.evaluate(() => (window.peers ?? []).map(({ connectionState }) => connectionState));
}

/**
 * To be called before the page is opened: has the frames of its first connection pass through a
 * worker that `swallowFrames` commands.
 */
export async function makeSwallowable(page: Page): Promise<void> {
  await page.addInitScript({ content: pageScript([passThroughWorker, swallower], null) });
}

declare global {
  interface Window {
    swallower?: Worker;
  }
}

function passThroughWorker(): void {
  window.RTCPeerConnection = class extends RTCPeerConnection {
    override addTransceiver(track: MediaStreamTrack | string, init?: RTCRtpTransceiverInit) {
      const transceiver = super.addTransceiver(track, init);
      if (window.swallower === undefined) {
        const code = `const __name = (value) => value; (${swallower})()`;
        window.swallower = new Worker(URL.createObjectURL(new Blob([code])));
        transceiver.receiver.transform = new RTCRtpScriptTransform(window.swallower);
      }
      return transceiver;
    }
  };
}

/** Runs in the worker. */
function swallower(): void {
  const scope = globalThis as unknown as {
    onmessage: () => void;
    onrtctransform: (event: { transformer: ReadableWritablePair }) => void;
  };
  let swallow = false;
  scope.onmessage = () => {
    swallow = true;
  };
  scope.onrtctransform = ({ transformer }) => {
    const sieve = new TransformStream({
      transform: (frame, out) => {
        if (!swallow) out.enqueue(frame);
      },
    });
    void transformer.readable.pipeThrough(sieve).pipeTo(transformer.writable);
  };
}

/** From now on packets come, but the first connection's picture stands still, as if it were broken. */
export async function swallowFrames(page: Page): Promise<void> {
  await page.evaluate(() => window.swallower?.postMessage('swallow'));
}
