/** What a session asks of its carrier: ordered byte streams (PROTOCOL 1.6), and datagrams. */

import { connectionWords } from '../words/connection.ts';
import type { DatagramDuplex } from './datagrams.ts';
import type { RelayEndpoint } from './endpoint.ts';
import { SessionError, unreachable } from './error.ts';

/** What brings a session's streams, the best first: QUIC, or the TCP port of the relay's pages. */
export const CARRIERS = ['webtransport', 'websocket'] as const;
export type CarrierName = (typeof CARRIERS)[number];

/** Opens what a session runs on. Throws SessionError, or the abort's reason. */
export type Connect = (endpoint: RelayEndpoint, signal: AbortSignal) => Promise<Transport>;

/** The part of WebTransport that sessions use; another carrier has the same shape. */
export interface Transport {
  /** WebTransport when left out. */
  readonly carrier?: CarrierName;
  readonly ready: Promise<unknown>;
  readonly closed: Promise<unknown>;
  readonly incomingUnidirectionalStreams: ReadableStream<ReadableStream<Uint8Array>>;
  readonly datagrams?: DatagramDuplex;
  createBidirectionalStream(): Promise<{
    readable: ReadableStream<Uint8Array>;
    writable: WritableStream<Uint8Array>;
  }>;
  createUnidirectionalStream(): Promise<WritableStream<Uint8Array>>;
  close(info?: { closeCode?: number; reason?: string }): void;
}

/** A handshake that takes longer has met a network that swallows it. */
export const READY_TIMEOUT_MS = 8_000;

/** Every browser on iOS is WebKit. Chromium and its kin name WebKit too, but name Chrome as well. */
export function isWebKit(userAgent: string = navigator.userAgent): boolean {
  return userAgent.includes('AppleWebKit/') && !/Chrom(e|ium)\//.test(userAgent);
}

/** WebKit has WebTransport, but stops delivering after some thousand streams or 16 MiB. */
export function webTransportWorks(userAgent: string = navigator.userAgent): boolean {
  return 'WebTransport' in globalThis && !isWebKit(userAgent);
}

/** Opens a WebTransport session. Throws SessionError. */
export async function connectWebTransport(
  endpoint: RelayEndpoint,
  signal: AbortSignal,
): Promise<Transport> {
  signal.throwIfAborted();
  if (!webTransportWorks()) {
    throw new SessionError('unsupported', 'this browser has no WebTransport to rely on');
  }
  const transport = construct(endpoint);
  // Whoever waits for `ready` hears of the failure; nobody waits for these two yet.
  transport.closed.catch(() => undefined);
  transport.ready.catch(() => undefined);
  try {
    await settled(transport.ready, READY_TIMEOUT_MS, signal);
  } catch (error) {
    transport.close();
    signal.throwIfAborted();
    throw unreachable(connectionWords().unopened, error);
  }
  return transport;
}

function construct({ sessionUrl, certificateHashes }: RelayEndpoint): Transport {
  try {
    return new WebTransport(sessionUrl, {
      ...(certificateHashes.length > 0 && {
        serverCertificateHashes: certificateHashes.map((value) => ({
          algorithm: 'sha-256',
          value,
        })),
      }),
    }) as Transport;
  } catch (error) {
    throw new SessionError('unsupported', 'this browser refuses to open a session', {
      cause: error,
    });
  }
}

/** `promise`, unless the time runs out or `signal` aborts first. */
export function settled<T>(promise: Promise<T>, ms: number, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => finish(() => reject(new Error(`nothing for ${ms} ms`))), ms);
    const aborted = () => finish(() => reject(signal.reason));
    const finish = (act: () => void) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', aborted);
      act();
    };
    signal.addEventListener('abort', aborted);
    if (signal.aborted) aborted();
    promise.then(
      (value) => finish(() => resolve(value)),
      (error: unknown) => finish(() => reject(error)),
    );
  });
}
