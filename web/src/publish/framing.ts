/** What of the captured frames is shown: the crop as the admin meant it, as far as the source has it. */

import { CROP_MIN, type Limit, leftOf, meantCrop, type Plan, planFor, wholeCrop } from './crop.ts';
import { filled } from './fill.ts';
import { type Crop, type Size, sameCrop } from './geometry.ts';
import { inCoded, type Kept } from './lane.ts';

/** The newest frame of the source. */
export interface Taken extends Kept {
  /** What is sent of it where the source has only a part of this crop; null as a frame: it cannot be made. */
  filled: { crop: Crop; frame: VideoFrame | null } | null;
}

export class Framing {
  #crop: Crop | null = null;

  /** In pixels of the source as it was. Good again when a source that has become smaller grows back. */
  get crop(): Crop | null {
    return this.#crop;
  }

  /** False: it is the same. */
  setCrop(asked: Crop | null): boolean {
    const crop = asked === null ? null : meantCrop(asked);
    if (sameCrop(crop, this.#crop)) return false;
    this.#crop = crop;
    return true;
  }

  /** The part of a frame that may be shown; null: the source has nothing of the crop. */
  rectOf(frame: VideoFrame): Crop | null {
    const source = sizeOf(frame);
    return this.#crop === null ? wholeCrop(source) : leftOf(this.#crop, source);
  }

  /** Whether what is sent of a frame has to be made first, by `fill`. */
  isUnfilled({ frame, filled: made }: Taken): boolean {
    return this.#isPart(frame) && !sameCrop(made?.crop ?? null, this.#crop);
  }

  /** Makes what is sent of a frame that has a part of the crop only. `isNewest`: it is still of use. */
  async fill(taken: Taken, isNewest: () => boolean): Promise<void> {
    const crop = this.#crop;
    const { frame } = taken;
    const rect = this.rectOf(frame);
    if (crop === null || rect === null) return;
    const made = await filled(frame, inCoded(rect, frame), crop);
    if (!isNewest() || this.#crop !== crop) {
      made?.close();
      return;
    }
    // Meanwhile the frame may have been given back for a copy of it.
    if (made === null && taken.frame !== frame) return this.fill(taken, isNewest);
    taken.filled?.frame?.close();
    taken.filled = { crop, frame: made };
  }

  /** What lanes are given of a frame; null: nothing, or not yet. */
  shotOf(taken: Taken, limit: Limit | null): { kept: Kept; plan: Plan } | null {
    const rect = this.rectOf(taken.frame);
    if (rect === null) return null;
    if (!this.#isPart(taken.frame)) return { kept: taken, plan: planFor(rect, limit) };
    const made = taken.filled;
    if (made === null || !sameCrop(made.crop, this.#crop)) return null;
    if (made.frame !== null) {
      const kept = { frame: made.frame, capturedUs: taken.capturedUs };
      return { kept, plan: planFor({ ...made.crop, x: 0, y: 0 }, limit) };
    }
    // Without a way to fill it up it is a smaller picture, as long as encoders take that.
    const small = rect.width < CROP_MIN || rect.height < CROP_MIN;
    return small ? null : { kept: taken, plan: planFor(rect, limit) };
  }

  #isPart(frame: VideoFrame): boolean {
    const rect = this.rectOf(frame);
    return this.#crop !== null && rect !== null && !sameCrop(rect, this.#crop);
  }
}

export function sizeOf(frame: VideoFrame): Size {
  const { width = 0, height = 0 } = frame.visibleRect ?? {};
  return { width, height };
}
