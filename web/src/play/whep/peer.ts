/** One peer connection that receives picture and sound; knows nothing of what is shown or heard. */

import { unreachable } from '../../session/error.ts';
import { settled } from '../../session/transport.ts';
import type { Transformed } from '../carried/words.ts';
import { isFirefox } from '../firefox.ts';
import { possibleTransports } from '../support.ts';
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
  sound: SoundFigures;
  /** What is heard now, by the reports of its sender; null: there were none, or the browser does not tell. */
  heard: HeardMoment | null;
}

export interface HeardMoment {
  /** When it was captured, on the sender's clock, microseconds. */
  captureUs: number;
  /** When it was heard, on the page's clock (`localUs`). */
  localUs: number;
}

/** What a connection has counted of sound; samples are as the browser's mixer has them. */
export interface SoundFigures {
  packetsReceived: number;
  packetsLost: number;
  samples: number;
  /** Stood in for what was missing, silence that was not sent included. */
  concealed: number;
  /** Of those, what was silence. */
  silent: number;
  gaps: number;
}

/** When a sample was given to the browser's output. */
export interface SoundMoment {
  rtpTimestamp: number;
  /** On the page's clock, milliseconds. */
  atMs: number;
}

/** Checks, keys and all; a network without UDP is noticed by then. */
const CONNECT_TIMEOUT_MS = 8_000;

/**
 * Frames without any wait are shown at once, out of turn. Firefox takes those for older ones than
 * the last that waited, and shows none of them any more, for as long as the connection lives.
 */
const HELD_MIN_MS = 1;

/** A receiver's delay, as browsers call it or have called it. */
type Delayed = Omit<RTCRtpReceiver, 'jitterBufferTarget'> & {
  jitterBufferTarget?: number | null;
  playoutDelayHint?: number | null;
};

/** A receiver whose frames may go to a worker. */
interface Transforming {
  transform?: unknown;
}

export class Peer {
  /** The video, from the beginning, though nothing may have come yet. */
  readonly stream: MediaStream;
  /** The sound. */
  readonly sound: MediaStream;
  readonly #connection: RTCPeerConnection;
  readonly #receiver: Delayed;
  readonly #ear: RTCRtpReceiver;
  /** How many frames the page has been given itself; null: the browser decodes them. */
  framesCarried: number | null = null;
  /** Whether frames were asked to wait, in the browser that does not forget it. */
  #held = false;
  readonly #listeners = new Set<() => void>();

  constructor(connection = new RTCPeerConnection({ bundlePolicy: 'max-bundle' })) {
    this.#connection = connection;
    this.#receiver = connection.addTransceiver('video', { direction: 'recvonly' }).receiver;
    this.stream = new MediaStream([this.#receiver.track]);
    this.#ear = connection.addTransceiver('audio', { direction: 'recvonly' }).receiver;
    this.sound = new MediaStream([this.#ear.track]);
    this.holdMs = 0;
    const changed = () => {
      for (const listener of [...this.#listeners]) listener();
    };
    connection.addEventListener('connectionstatechange', changed);
    connection.addEventListener('iceconnectionstatechange', changed);
  }

  /** Has what comes go to a worker, and nothing of it to the browser's decoders. */
  carry(worker: Worker, session: number): void {
    this.framesCarried = 0;
    const [video, audio] = [this.#receiver, this.#ear] as Transforming[];
    const transform = (media: Transformed['media']) =>
      new RTCRtpScriptTransform(worker, { session, media } satisfies Transformed);
    if (video !== undefined) video.transform = transform('video');
    if (audio !== undefined) audio.transform = transform('audio');
  }

  /** How long frames wait for their neighbours at least; null: as the browser finds right. */
  set holdMs(wantedMs: number | null) {
    this.#held ||= (wantedMs ?? 0) > 0 && isFirefox();
    delay(this.#receiver, this.#held ? Math.max(wantedMs ?? 0, HELD_MIN_MS) : wantedMs);
  }

  /** The same of sound. */
  set soundHoldMs(wantedMs: number | null) {
    delay(this.#ear, wantedMs);
  }

  /** What was given to the browser's output last; null: nothing, or it does not tell. */
  get soundMoment(): SoundMoment | null {
    const [source] = this.#ear.getSynchronizationSources?.() ?? [];
    if (source === undefined) return null;
    // Browsers have had it on either clock.
    const { timestamp, rtpTimestamp } = source;
    const atMs = timestamp > WALL_MS ? timestamp - performance.timeOrigin : timestamp;
    return { rtpTimestamp, atMs };
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
    return inStereo((await this.#connection.createOffer()).sdp ?? '');
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
      const reachable = possibleTransports().includes('websocket')
        ? overUdp(answer.sdp)
        : answer.sdp;
      await connection.setRemoteDescription({ type: 'answer', sdp: apart(reachable) });
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
    const read = { connection: this.connection, ...readStats(all) };
    const frames = this.framesCarried;
    return frames === null ? read : { ...read, framesReceived: frames, framesDecoded: frames };
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

/** Later than any time since a page was opened. */
const WALL_MS = 1e12;

/** Browsers take no more than that, and throw (W3C webrtc-extensions, `jitterBufferTarget`). */
const DELAY_MAX_MS = 4_000;

function delay(receiver: Delayed, wantedMs: number | null): void {
  const ms = wantedMs === null ? null : Math.max(0, Math.min(DELAY_MAX_MS, wantedMs));
  if ('jitterBufferTarget' in receiver) receiver.jitterBufferTarget = ms;
  else if ('playoutDelayHint' in receiver) {
    receiver.playoutDelayHint = ms === null ? null : ms / 1_000;
  }
}

/**
 * Without the relay's addresses for WebRTC over TCP: where this page can go over WebSocket, that is the better way over
 * TCP, for the relay hears there what has arrived, and the page paces pictures by itself.
 */
export function overUdp(sdp: string): string {
  return sdp.replace(/a=candidate:\S+ \d+ TCP [^\r\n]*\r\n/gi, '');
}

/** Browsers offer to receive Opus, and mix it down to one channel unless that is said (RFC 7587, 7.1). */
export function inStereo(sdp: string): string {
  const opus = /a=rtpmap:(\d+) opus\/48000\/2\r\n/i.exec(sdp)?.[1];
  if (opus === undefined) return sdp;
  const told = new RegExp(`(a=fmtp:${opus} )([^\r\n]*)`);
  return sdp.replace(told, (line, head: string, words: string) =>
    /(^|;)\s*stereo=/.test(words) ? line : `${head}${words};stereo=1`,
  );
}

/**
 * An answer whose sound is of a stream of its own. Of one stream browsers delay the picture for the sound, whether that
 * is heard or not, and the sound for a picture that the page itself has wait for it.
 */
export function apart(sdp: string): string {
  return sdp
    .split(/(?=^m=)/m)
    .map((section) =>
      section.startsWith('m=audio') ? section.replaceAll(/(msid:)\S+/g, '$1sound') : section,
    )
    .join('');
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
  packetsReceived?: number;
  totalSamplesReceived?: number;
  concealedSamples?: number;
  silentConcealedSamples?: number;
  concealmentEvents?: number;
  timestamp?: number;
  estimatedPlayoutTimestamp?: number;
}

/** Browsers leave out what they do not count. */
export function readStats(entries: readonly StatsEntry[]): Omit<Figures, 'connection'> {
  const video = entries.find(({ type, kind }) => type === 'inbound-rtp' && kind === 'video');
  const codec = entries.find(({ type, id }) => type === 'codec' && id === video?.codecId);
  const pair = entries.find(
    ({ type, state, nominated }) => type === 'candidate-pair' && state === 'succeeded' && nominated,
  );
  const sound = entries.find(({ type, kind }) => type === 'inbound-rtp' && kind === 'audio');
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
    sound: readSound(sound),
    heard: readHeard(sound),
  };
}

/** From the beginning of NTP's time to that of Unix's. */
const NTP_MS = 2_208_988_800_000;

function readHeard(entry: StatsEntry | undefined): HeardMoment | null {
  const { timestamp, estimatedPlayoutTimestamp: ntpMs } = entry ?? {};
  if (timestamp === undefined || ntpMs === undefined || ntpMs < NTP_MS) return null;
  return { captureUs: (ntpMs - NTP_MS) * 1_000, localUs: timestamp * 1_000 };
}

function readSound(entry: StatsEntry | undefined): SoundFigures {
  return {
    packetsReceived: entry?.packetsReceived ?? 0,
    packetsLost: entry?.packetsLost ?? 0,
    samples: entry?.totalSamplesReceived ?? 0,
    concealed: entry?.concealedSamples ?? 0,
    silent: entry?.silentConcealedSamples ?? 0,
    gaps: entry?.concealmentEvents ?? 0,
  };
}
