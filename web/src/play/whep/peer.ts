/** One peer connection that receives video; knows nothing of what is shown. */

import { unreachable } from '../../session/error.ts';
import { settled } from '../../session/transport.ts';
import type { Answer } from './signal.ts';

/** What a connection has counted so far. */
export interface Figures {
  connection: RTCPeerConnectionState;
  bytesReceived: number;
  framesReceived: number;
  framesDecoded: number;
  framesDropped: number;
  packetsLost: number;
  /** As in SDP: AV1, H264, VP9, VP8; null: nothing has come yet. */
  codec: string | null;
  rttMs: number | null;
}

/** Checks, keys and all; a network without UDP is noticed by then. */
const CONNECT_TIMEOUT_MS = 8_000;

/**
 * Frames without any wait are shown at once, out of turn. Firefox takes those for older ones than
 * the last that waited, and shows none of them any more, for as long as the connection lives.
 */
const HELD_MIN_MS = 1;
const isFirefox = () => navigator.userAgent.includes('Firefox/');

/** A receiver's delay, as browsers call it or have called it. */
type Delayed = Omit<RTCRtpReceiver, 'jitterBufferTarget'> & {
  jitterBufferTarget?: number | null;
  playoutDelayHint?: number | null;
};

export class Peer {
  /** The video, from the beginning, though nothing may have come yet. */
  readonly stream: MediaStream;
  readonly #connection: RTCPeerConnection;
  readonly #receiver: Delayed;
  /** Whether frames were asked to wait, in the browser that does not forget it. */
  #held = false;
  readonly #listeners = new Set<() => void>();

  constructor(connection = new RTCPeerConnection({ bundlePolicy: 'max-bundle' })) {
    this.#connection = connection;
    this.#receiver = connection.addTransceiver('video', { direction: 'recvonly' }).receiver;
    this.stream = new MediaStream([this.#receiver.track]);
    this.holdMs = 0;
    const changed = () => {
      for (const listener of [...this.#listeners]) listener();
    };
    connection.addEventListener('connectionstatechange', changed);
    connection.addEventListener('iceconnectionstatechange', changed);
  }

  /** How long frames wait for their neighbours at least; null: as the browser finds right. */
  set holdMs(wantedMs: number | null) {
    const receiver: Delayed = this.#receiver;
    this.#held ||= (wantedMs ?? 0) > 0 && isFirefox();
    const ms = this.#held ? Math.max(wantedMs ?? 0, HELD_MIN_MS) : wantedMs;
    if ('jitterBufferTarget' in receiver) receiver.jitterBufferTarget = ms;
    else if ('playoutDelayHint' in receiver) {
      receiver.playoutDelayHint = ms === null ? null : ms / 1_000;
    }
  }

  /** The worse one of what the browser says of the connection and of ICE. */
  get connection(): RTCPeerConnectionState {
    const { connectionState, iceConnectionState } = this.#connection;
    const bad = (['closed', 'failed', 'disconnected'] as const).find((state) => {
      return state === connectionState || state === iceConnectionState;
    });
    return bad ?? connectionState;
  }

  /** Calls `listener` at every change of `connection`; returns how to stop that. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * What to send to the relay. It holds no candidates: the relay needs none, as it learns where
   * this side is from its checks.
   */
  async offer(): Promise<string> {
    return (await this.#connection.createOffer()).sdp ?? '';
  }

  /** Connects to whoever answered `offer`. Rejects with SessionError, or the abort's reason. */
  async connect(offer: string, answer: Answer, signal: AbortSignal): Promise<void> {
    const connection = this.#connection;
    try {
      // Gathering begins with the local description, so the servers have to be known by then.
      if (answer.iceServers.length > 0) {
        connection.setConfiguration({
          ...connection.getConfiguration(),
          iceServers: answer.iceServers,
        });
      }
      await connection.setLocalDescription({ type: 'offer', sdp: offer });
      await connection.setRemoteDescription({ type: 'answer', sdp: answer.sdp });
      await settled(this.#connected(), CONNECT_TIMEOUT_MS, signal);
    } catch (error) {
      signal.throwIfAborted();
      throw unreachable('no connection came about', error);
    }
  }

  async figures(): Promise<Figures> {
    const all: StatsEntry[] = [];
    (await this.#connection.getStats()).forEach((entry: StatsEntry) => {
      all.push(entry);
    });
    return { connection: this.connection, ...readStats(all) };
  }

  close(): void {
    this.#listeners.clear();
    this.#connection.close();
  }

  #connected(): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const state = this.connection;
        if (state !== 'connected' && state !== 'failed' && state !== 'closed') return;
        stop();
        if (state === 'connected') resolve();
        else reject(new Error(`the connection is ${state}`));
      };
      const stop = this.onChange(look);
      look();
    });
  }
}

/** An entry of a statistics report, as far as it is read here. */
export interface StatsEntry {
  type: string;
  id: string;
  kind?: string;
  state?: string;
  nominated?: boolean;
  bytesReceived?: number;
  framesReceived?: number;
  framesDecoded?: number;
  framesDropped?: number;
  packetsLost?: number;
  codecId?: string;
  mimeType?: string;
  currentRoundTripTime?: number;
}

/** Browsers leave out what they do not count. */
export function readStats(entries: readonly StatsEntry[]): Omit<Figures, 'connection'> {
  const video = entries.find(({ type, kind }) => type === 'inbound-rtp' && kind === 'video');
  const codec = entries.find(({ type, id }) => type === 'codec' && id === video?.codecId);
  const pair = entries.find(
    ({ type, state, nominated }) => type === 'candidate-pair' && state === 'succeeded' && nominated,
  );
  const framesDecoded = video?.framesDecoded ?? 0;
  const rtt = pair?.currentRoundTripTime;
  return {
    bytesReceived: video?.bytesReceived ?? 0,
    framesReceived: video?.framesReceived ?? framesDecoded,
    framesDecoded,
    framesDropped: video?.framesDropped ?? 0,
    packetsLost: video?.packetsLost ?? 0,
    codec: codec?.mimeType?.split('/')[1] ?? null,
    rttMs: rtt === undefined ? null : rtt * 1_000,
  };
}
