/**
 * What of the pictures that open may be decoded: nothing twice, nothing that is over, and nothing whose
 * predecessor is missing, whatever the relay says of epochs, groups and times (PROTOCOL 12.6); pure.
 */

import type { FrameHeader, OpenPicture } from '@steadycast/codec-glue';
import type { Tenures } from './tenures.ts';

/** How somebody on the way has meddled. */
export type Meddling = 'clear' | 'forged' | 'replayed' | 'misplaced' | 'missing';

/** late: of no use, and nobody's fault; wrong: nothing of its group may be shown from here on. */
export type Judgement =
  | { kind: 'good'; header: FrameHeader }
  | { kind: 'late' }
  | { kind: 'wrong'; how: Meddling };

/** A group's frames as they have come on one stream. */
interface Run {
  tenure: string;
  track: number;
  group: number;
  index: number;
  /** The newest indexes that were good. */
  good: Set<number>;
  /** Something of it was wrong: the rest is of no use. */
  broken: boolean;
}

/** Streams of groups that overlap: more are never open at a time. */
const RUNS = 64;
/** No frame follows one that stands further before it. */
const DISTANCE_MAX = 255;
/** A group so far behind the newest one was on its way meanwhile. */
const LATE_GROUPS = 3;

export class PictureGuard {
  readonly #tenures: Tenures;
  #runs = new Map<number, Run>();
  /** The newest group of each track, in the tenure that it is of. */
  readonly #newest = new Map<number, { tenure: string; group: number }>();
  /** The newest picture by its host's time, and what its header said. */
  #last = { tenure: '', capturedUs: 0, captureUs: 0 };

  constructor(tenures: Tenures) {
    this.#tenures = tenures;
  }

  /** Another session: streams are numbered anew, and the newest group may come once more. */
  restart(): void {
    this.#runs = new Map();
  }

  /** Whether the rest of a stream is of no use. */
  isBroken(stream: number): boolean {
    return this.#runs.get(stream)?.broken === true;
  }

  /** A frame of this stream did not open. */
  broke(stream: number): void {
    const run = this.#runs.get(stream) ?? { tenure: '', track: 0, group: 0, index: 0 };
    this.#runs.set(stream, { ...run, good: new Set(), broken: true });
  }

  judge(stream: number, header: FrameHeader, open: OpenPicture): Judgement {
    const tenure = this.#tenures.admit(open.tenure, open.capturedUs);
    if (tenure.kind === 'late') return this.#leave(stream);
    if (tenure.kind === 'replayed') return this.#wrong(stream, 'replayed');
    const refused = header.keyframe ? this.#opens(stream, open) : this.#goesOn(stream, open);
    return refused ?? { kind: 'good', header: this.#seen(header, open, tenure.number) };
  }

  /** A keyframe; null: it may be shown. */
  #opens(stream: number, { tenure, track, group }: OpenPicture): Judgement | null {
    const newest = this.#newest.get(track);
    const behind = newest?.tenure === tenure ? newest.group - group : 0;
    if (behind > 0) {
      return behind <= LATE_GROUPS ? this.#leave(stream) : this.#wrong(stream, 'replayed');
    }
    this.#newest.set(track, { tenure, group });
    this.#runs.set(stream, { tenure, track, group, index: 0, good: new Set([0]), broken: false });
    const [oldest] = this.#runs.keys();
    if (this.#runs.size > RUNS && oldest !== undefined) this.#runs.delete(oldest);
    return null;
  }

  /** Another frame of a group; null: it may be shown. */
  #goesOn(stream: number, open: OpenPicture): Judgement | null {
    const run = this.#runs.get(stream);
    if (run?.broken === true) return { kind: 'late' };
    const { tenure, track, group, index, distance } = open;
    if (run === undefined || run.tenure !== tenure || run.track !== track || run.group !== group) {
      return this.#wrong(stream, 'misplaced');
    }
    if (index <= run.index) return this.#wrong(stream, 'replayed');
    if (!run.good.has(index - distance)) return this.#wrong(stream, 'missing');
    run.index = index;
    run.good.add(index);
    for (const old of run.good) {
      if (old >= index - DISTANCE_MAX) break;
      run.good.delete(old);
    }
    return null;
  }

  #leave(stream: number): Judgement {
    this.broke(stream);
    return { kind: 'late' };
  }

  #wrong(stream: number, how: Meddling): Judgement {
    this.broke(stream);
    return { kind: 'wrong', how };
  }

  /**
   * What play-out is told of the frame: a tenure is its epoch, and what was captured before the newest
   * picture that came is decoded and not shown, whatever time the relay has put into its header.
   */
  #seen(header: FrameHeader, { tenure, capturedUs }: OpenPicture, epoch: number): FrameHeader {
    const last = this.#last;
    if (last.tenure === tenure && capturedUs <= last.capturedUs) {
      const captureUs = Math.max(0, Math.min(header.captureUs, last.captureUs - 1));
      return { ...header, epoch, captureUs };
    }
    this.#last = { tenure, capturedUs, captureUs: header.captureUs };
    return { ...header, epoch };
  }
}
