/** Opens what comes of a private broadcast, and says what is wrong with it (PROTOCOL 12.6). */

import {
  Forged,
  type Frame,
  type LinkKey,
  Opener,
  type OpenSound,
  type SoundPacket,
  tenureIn,
  WireError,
} from '@steadycast/codec-glue';
import { type Judgement, type Meddling, PictureGuard } from './guard.ts';
import { SoundGuard } from './sound-guard.ts';
import { Strangers } from './strangers.ts';
import { Tenures } from './tenures.ts';

/** How it stands with a private broadcast at a player. */
export interface PrivacyFacts {
  /**
   * open: what comes opens; none: nothing has come yet; locked: there is no key in the link; foreign: the
   * link's key does not fit, for it is another broadcast's or an older one, or the host's is.
   */
  lock: 'none' | 'open' | 'locked' | 'foreign';
  /** What somebody on the way has done, for the first time and the last; null: nothing. */
  meddled: Meddling | null;
  /** Frames that were not shown for that. */
  refused: number;
  /** When the newest picture was captured, by its host's clock: Unix milliseconds. */
  capturedMs: number | null;
}

/** A picture to be decoded, as its host has made it. */
export interface Opened {
  kind: 'good';
  frame: Frame;
}

export type Opening = Opened | Exclude<Judgement, { kind: 'good' }>;

const LATE = { kind: 'late' } as const;

export class PrivateBroadcast {
  readonly #opener: Opener | null;
  /** Of pictures and sound together: each may be the first to come. */
  readonly #tenures = new Tenures();
  readonly #guard = new PictureGuard(this.#tenures);
  readonly #heard = new SoundGuard(this.#tenures);
  readonly #strangers = new Strangers();
  #hasOpened = false;
  #lock: PrivacyFacts['lock'] = 'none';
  #meddled: Meddling | null = null;
  #refused = 0;
  #capturedUs: number | null = null;

  /** null: the link has no key. */
  constructor(key: LinkKey | null) {
    this.#opener = key === null ? null : new Opener(key);
  }

  /** null: nothing has come that is sealed, and there is no key. */
  get facts(): PrivacyFacts | null {
    if (this.#opener === null && this.#lock === 'none') return null;
    const capturedMs = this.#capturedUs === null ? null : this.#capturedUs / 1_000;
    return { lock: this.#lock, meddled: this.#meddled, refused: this.#refused, capturedMs };
  }

  /** Another session: what it sends first may have come before. */
  restart(): void {
    this.#guard.restart();
  }

  /** One frame after another on each stream. */
  async picture(stream: number, frame: Frame): Promise<Opening> {
    if (this.#opener === null) {
      this.#lock = 'locked';
      return LATE;
    }
    if (this.#guard.isBroken(stream) && !frame.header.keyframe) return LATE;
    const { header, payload } = frame;
    // With the key of a link only what is sealed is shown: whoever could take that away could show anything.
    if (!header.sealed) return this.#broke(stream, 'clear');
    try {
      const open = await this.#opener.picture(header, payload);
      this.#lock = 'open';
      this.#hasOpened = true;
      // Where that goes on, what did not open meanwhile is no host's with another key.
      const isNew = !this.#tenures.knows(open.tenure);
      if (header.keyframe && this.#strangers.began(isNew)) this.#note('forged');
      const judged = this.#guard.judge(stream, header, open);
      if (judged.kind === 'wrong') this.#note(judged.how);
      if (judged.kind !== 'good') return judged;
      this.#capturedUs = Math.max(open.capturedUs, this.#capturedUs ?? 0);
      return { kind: 'good', frame: { header: judged.header, payload: open.chunk } };
    } catch (error) {
      if (!(error instanceof Forged || error instanceof WireError)) throw error;
      return this.#unopened(stream, frame);
    }
  }

  /** The packet with frames that can be decoded; null: it has none. */
  async sound(packet: SoundPacket): Promise<SoundPacket | null> {
    if (this.#opener === null || !packet.sealed) return null;
    const { repeats, frame } = packet;
    const opened = await Promise.all([...repeats, frame].map((one) => this.#sound(one)));
    const newest = opened.pop();
    const epoch = newest == null ? null : this.#heard.admit(newest);
    if (newest == null || epoch === null) return null;
    // Those that are the ones just before it, as they are said to be.
    const before: Uint8Array[] = [];
    for (const one of opened.toReversed()) {
      const expected = newest.sequence - before.length - 1;
      if (one?.tenure !== newest.tenure || one.sequence !== expected) break;
      before.unshift(one.frame);
    }
    const { sequence } = newest;
    return { ...packet, sealed: false, epoch, sequence, repeats: before, frame: newest.frame };
  }

  async #sound(frame: Uint8Array): Promise<OpenSound | null> {
    try {
      return (await this.#opener?.sound(frame)) ?? null;
    } catch (error) {
      if (error instanceof Forged || error instanceof WireError) return null;
      throw error;
    }
  }

  /** What does not open: changed on the way, or sealed with another key. */
  #unopened(stream: number, { header, payload }: Frame): Opening {
    const tenure = tenureIn(payload);
    if (this.#hasOpened && (tenure === null || this.#tenures.knows(tenure))) {
      return this.#broke(stream, 'forged');
    }
    this.#guard.broke(stream);
    // Where nothing has ever opened it is the link's key that does not fit.
    const isForeign = !this.#hasOpened || this.#strangers.refused(tenure ?? '', header.keyframe);
    if (!isForeign) return { kind: 'wrong', how: 'forged' };
    this.#lock = 'foreign';
    return LATE;
  }

  #broke(stream: number, how: Meddling): Opening {
    this.#guard.broke(stream);
    this.#note(how);
    return { kind: 'wrong', how };
  }

  #note(how: Meddling): void {
    this.#meddled ??= how;
    this.#refused += 1;
  }
}
