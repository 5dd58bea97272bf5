/** What the player's worker does for sound: datagrams in, decoded sound out to the page's audio worklet. */

import { decodeSound, type SoundFormat, type SoundPacket, WireError } from '@steadycast/codec-glue';
import type { Carrier } from '../carrier.ts';
import { browserTimers, type Timers } from '../timers.ts';
import { type CreateSoundDecoder, SoundDecoder } from './decoder.ts';
import { InTime, leastBehind } from './in-time.ts';
import { type SoundFrame, SoundIntake } from './intake.ts';
import { SoundLine } from './line.ts';
import type { FromWorklet, HeardAt, ToWorklet } from './messages.ts';
import type { SoundCounts } from './player.ts';
import type { SoundRecords } from './records.ts';
import { type Chunk, msOf } from './samples.ts';

export interface HearingParts {
  /** To the audio worklet. */
  port: MessagePort;
  /** Whether it has to be opened first. */
  isPrivate: (packet: SoundPacket) => boolean;
  /** What is in it, where that may be heard. */
  open: (packet: SoundPacket) => Promise<SoundPacket | null>;
  /** How late the picture is at best, microseconds from its capture; null: there is none to wait for. */
  pictureUs: () => number | null;
  /** Sound is heard so long after its capture, microseconds; null: none is heard. */
  onDelay: (us: number | null) => void;
  /** What tests replace. */
  timers?: Timers;
  createDecoder?: CreateSoundDecoder;
}

type SoundCarrier = Pick<Carrier, 'clock' | 'onDatagram' | 'send'>;
/** A chunk without its samples; null: it is not to be heard. */
type Place = Omit<Chunk, 'channels'> | null;

/**
 * A decoder that begins in the middle has to find its way (RFC 7845, 4.6), and is loud at times before it has: so much
 * of what it gives first is not played.
 */
const FINDING_US = 80_000;
/** Pauses of speech, which are not sent, change nothing about when pictures are shown. */
const PAUSE_MS = 3_000;

const NOTHING: SoundCounts = { played: 0, concealed: 0, gaps: 0, late: 0 };

export class Hearing {
  readonly #parts: HearingParts;
  readonly #timers: Timers;
  readonly #intake = new SoundIntake();
  readonly #line = new SoundLine();
  readonly #inTime = new InTime();
  readonly #decoder: SoundDecoder<Place>;
  #carrier: SoundCarrier | null = null;
  #format: SoundFormat | null = null;
  #counts = NOTHING;
  #malformed = 0;
  #delayUs: number | null = null;
  #heardMs = Number.NEGATIVE_INFINITY;
  /** The next frame is decoded anew, whatever was before. */
  #restart = true;
  /** The next chunk is played anew. */
  #anew = true;
  /** How much is decoded yet that is not to be heard. */
  #findingUs = 0;
  #cancel: () => void = () => undefined;

  constructor(parts: HearingParts) {
    this.#parts = parts;
    this.#timers = parts.timers ?? browserTimers;
    this.#decoder = new SoundDecoder<Place>(
      (channels, place) => this.#decoded(channels, place),
      () => undefined,
      parts.createDecoder,
    );
    parts.port.onmessage = ({ data }: MessageEvent<FromWorklet>) => this.#told(data);
  }

  get records(): SoundRecords {
    const { received, repaired, lost, late } = this.#intake.counts;
    return {
      framesReceived: received,
      framesRepaired: repaired,
      framesLost: lost,
      framesLate: late,
      malformed: this.#malformed,
      playedMs: msOf(this.#counts.played),
      concealedMs: msOf(this.#counts.concealed),
      lateMs: msOf(this.#counts.late),
      gaps: this.#counts.gaps,
      latencyMs: this.#delayUs === null ? null : this.#delayUs / 1_000,
    };
  }

  /** Listens in this session. */
  attach(carrier: SoundCarrier): void {
    this.#carrier = carrier;
    this.#intake.restart();
    carrier.onDatagram((bytes) => {
      if (this.#carrier === carrier) this.#received(bytes);
    });
    carrier.send({ type: 'listen', on: true });
  }

  /** The session is gone. */
  detach(): void {
    this.#carrier = null;
  }

  /** What there is to be heard; null: nothing, and nothing of what was is heard any more. */
  set format(format: SoundFormat | null) {
    this.#format = format;
    if (format === null) this.#quiet();
  }

  /** When the browser plays what. */
  heard(at: HeardAt): void {
    this.#inTime.look(at);
  }

  /** Listens no more. */
  close(): void {
    this.#cancel();
    this.#carrier?.send({ type: 'listen', on: false });
    this.#carrier?.onDatagram(null);
    this.#carrier = null;
    this.#quiet();
    this.#decoder.close();
    this.#parts.port.close();
  }

  #received(bytes: Uint8Array): void {
    try {
      const packet = decodeSound(bytes);
      if (packet !== null && this.#parts.isPrivate(packet)) void this.#open(packet);
      else if (packet !== null) this.#take(packet);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.#malformed += 1;
    }
    this.#wait();
  }

  async #open(packet: SoundPacket): Promise<void> {
    const carrier = this.#carrier;
    const opened = await this.#parts.open(packet);
    if (this.#carrier !== carrier) return;
    if (opened === null) this.#malformed += 1;
    else this.#take(opened);
    this.#wait();
  }

  #take(packet: SoundPacket): void {
    this.#decode(this.#intake.take(packet, this.#timers.nowMs()));
  }

  /** A frame that came out of turn is given up on, and goes on, at its time. */
  #wait(): void {
    this.#cancel();
    const { dueMs } = this.#intake;
    if (dueMs === null) return;
    const waitMs = Math.max(0, dueMs - this.#timers.nowMs());
    this.#cancel = this.#timers.after(waitMs, () => {
      this.#decode(this.#intake.due(this.#timers.nowMs()));
      this.#wait();
    });
  }

  #decode(frames: readonly SoundFrame[]): void {
    const format = this.#format;
    if (format === null) return;
    for (const frame of frames) {
      const start = this.#line.place(frame);
      if (frame.restart || this.#restart) {
        this.#decoder.close();
        this.#findingUs = frame.opens ? 0 : FINDING_US;
        this.#anew = true;
        this.#restart = false;
      }
      if (this.#findingUs > 0) {
        this.#findingUs -= frame.durationUs;
        this.#decoder.decode(frame.bytes, format, null);
        continue;
      }
      const place = { start, begins: frame.begins || this.#anew, restart: this.#anew };
      this.#anew = false;
      this.#decoder.decode(frame.bytes, format, place);
    }
  }

  #decoded(channels: Float32Array<ArrayBuffer>[], place: Place): void {
    if (place === null) return;
    const transfer = channels.map(({ buffer }) => buffer);
    this.#tell({ type: 'chunk', chunk: { ...place, channels } }, transfer);
  }

  #told({ standing, counts }: FromWorklet): void {
    this.#counts = counts;
    this.#intake.spareMs = msOf(standing.spare);
    const offsetUs = this.#carrier?.clock.offsetUs ?? null;
    const captured = (sample: number) => this.#line.captureUs(sample);
    const delayUs = offsetUs === null ? null : this.#inTime.delayUs(standing, captured, offsetUs);
    const nowMs = this.#timers.nowMs();
    if (delayUs === null || standing.behind === null) {
      if (nowMs - this.#heardMs > PAUSE_MS) this.#setDelay(null);
      this.#tell({ type: 'least', samples: null });
      return;
    }
    this.#heardMs = nowMs;
    this.#setDelay(delayUs);
    const samples = leastBehind(standing.behind, delayUs, this.#parts.pictureUs());
    this.#tell({ type: 'least', samples });
  }

  #quiet(): void {
    this.#restart = true;
    this.#tell({ type: 'quiet' });
    this.#setDelay(null);
  }

  #setDelay(us: number | null): void {
    this.#delayUs = us;
    this.#parts.onDelay(us);
  }

  #tell(message: ToWorklet, transfer: Transferable[] = []): void {
    this.#parts.port.postMessage(message, transfer);
  }
}
