/** From datagrams to frames in order, each once; pure, the caller brings the time (PROTOCOL 9). */

import { opusDurationUs, type SoundPacket } from '@steadycast/codec-glue';

/** A frame that is to be decoded now. */
export interface SoundFrame {
  epoch: number;
  /** Of its first sample, on the relay's clock. */
  captureUs: number;
  durationUs: number;
  /** Frames that were lost just before it. */
  lost: number;
  /** Nothing is missing before it: silence was not sent, or there was nothing. */
  begins: boolean;
  /** The first of an epoch, or of this session. */
  restart: boolean;
  /** The first that its publisher has encoded, which needs nothing before it. */
  opens: boolean;
  bytes: Uint8Array;
}

/** What was counted, in frames. */
export interface IntakeCounts {
  received: number;
  /** Came beside a later one alone: lost before, or sent so where many listen. */
  repaired: number;
  lost: number;
  /** Came after it was given up, or from an epoch that is over. */
  late: number;
}

type Waiting = Omit<SoundFrame, 'lost' | 'restart' | 'opens'>;

/** An epoch's first frame has this number at most. */
const FIRST = 1;
/** More than this is never waited for, however much there is time. */
const HOLD_MAX_MS = 40;
/** How many frames may wait for one before them. */
const WAITING_MAX = 8;
/** A jump in the count by more than this is no loss. */
const JUMP = 500;

export class SoundIntake {
  readonly #counts: IntakeCounts = { received: 0, repaired: 0, lost: 0, late: 0 };
  #epoch: number | null = null;
  /** Of the last frame that was handed over. */
  #sequence = 0;
  #restart = true;
  readonly #waiting = new Map<number, Waiting>();
  #waitsSinceMs: number | null = null;
  /** How long a frame that came out of turn may wait for those before it. */
  #holdMs = 0;

  get counts(): Readonly<IntakeCounts> {
    return this.#counts;
  }

  /** How long sound that is here now could wait without being late. */
  set spareMs(ms: number) {
    this.#holdMs = Math.max(0, Math.min(HOLD_MAX_MS, ms));
  }

  /** When {@link due} has something to say; null: nothing waits. */
  get dueMs(): number | null {
    return this.#waitsSinceMs === null ? null : this.#waitsSinceMs + this.#holdMs;
  }

  /** Another session: what comes next begins anew. */
  restart(): void {
    this.#epoch = null;
    this.#clear();
  }

  /** The frames that can be decoded now that this packet is here. */
  take(packet: SoundPacket, nowMs: number): SoundFrame[] {
    if (this.#epoch !== null && packet.epoch < this.#epoch) {
      this.#counts.late += 1;
      return [];
    }
    if (packet.epoch !== this.#epoch) this.#begin(packet);
    this.#addRepeats(packet);
    this.#add(packet.sequence, newestOf(packet));
    const frames = this.#inOrder();
    if (packet.begins || this.#waiting.size > WAITING_MAX) frames.push(...this.#giveUp());
    if (this.#waiting.size === 0) this.#waitsSinceMs = null;
    else this.#waitsSinceMs ??= nowMs;
    return [...frames, ...this.due(nowMs)];
  }

  /** The frames that have waited long enough for one that does not come. */
  due(nowMs: number): SoundFrame[] {
    const { dueMs } = this;
    if (dueMs === null || nowMs < dueMs) return [];
    const frames = this.#giveUp();
    if (this.#waiting.size === 0) this.#waitsSinceMs = null;
    return frames;
  }

  #begin({ epoch, sequence }: SoundPacket): void {
    this.#clear();
    this.#epoch = epoch;
    // What is repeated was sent before anybody listened here.
    this.#sequence = sequence - 1;
    this.#restart = true;
  }

  #clear(): void {
    this.#waiting.clear();
    this.#waitsSinceMs = null;
  }

  #addRepeats({ epoch, sequence, captureUs, repeats }: SoundPacket): void {
    let endUs = captureUs;
    for (let back = 1; back <= repeats.length; back += 1) {
      const bytes = repeats[repeats.length - back];
      const durationUs = bytes === undefined ? null : opusDurationUs(bytes);
      if (bytes === undefined || durationUs === null) return;
      endUs -= durationUs;
      const missing = sequence - back > this.#sequence && !this.#waiting.has(sequence - back);
      if (!missing) continue;
      this.#counts.repaired += 1;
      const frame = { epoch, captureUs: endUs, durationUs, begins: false, bytes };
      this.#waiting.set(sequence - back, frame);
    }
  }

  #add(sequence: number, frame: Waiting | null): void {
    if (frame === null || this.#waiting.has(sequence)) return;
    this.#counts.received += 1;
    if (sequence <= this.#sequence) this.#counts.late += 1;
    else this.#waiting.set(sequence, frame);
  }

  /** What follows what was handed over without a hole. */
  #inOrder(lost = 0): SoundFrame[] {
    const frames: SoundFrame[] = [];
    for (;;) {
      const frame = this.#waiting.get(this.#sequence + 1);
      if (frame === undefined) return frames;
      this.#waiting.delete(this.#sequence + 1);
      this.#sequence += 1;
      const begins = frame.begins || this.#restart;
      const before = frames.length === 0 && !begins ? lost : 0;
      const opens = frame.begins && this.#sequence <= FIRST;
      frames.push({ ...frame, begins, opens, lost: before, restart: this.#restart });
      this.#restart = false;
    }
  }

  /** Goes on with the first one that waits, and leaves what is missing before it. */
  #giveUp(): SoundFrame[] {
    const first = Math.min(...this.#waiting.keys());
    const frame = this.#waiting.get(first);
    if (frame === undefined) return [];
    const lost = first - this.#sequence - 1;
    if (lost > JUMP) this.#restart = true;
    else if (!frame.begins) this.#counts.lost += lost;
    this.#sequence = first - 1;
    return this.#inOrder(lost);
  }
}

/** Null: it is no Opus. */
function newestOf({ epoch, captureUs, begins, frame }: SoundPacket): Waiting | null {
  const durationUs = opusDurationUs(frame);
  return durationUs === null ? null : { epoch, captureUs, durationUs, begins, bytes: frame };
}
