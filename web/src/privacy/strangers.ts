/**
 * Tells a host that seals with another key from somebody who puts in what no host has sealed (PROTOCOL 12.6): of the former
 * nothing ever opens, and no group of anybody else's begins in between; pure.
 */

/** So many keyframes of a tenure do not open: its host has another key. */
const KEYFRAMES = 2;
/**
 * So often may a group of a known tenure begin after what did not open. It happens where a key changes, of which other
 * tracks and caches have the one before for a moment, and where hosts take turns.
 */
const TURNS = 3;

export class Strangers {
  /** The tenure of which nothing opens, and how many of its keyframes have come; null: there is none. */
  #last: { tenure: string; keyframes: number } | null = null;
  #turns = 0;

  /** A frame of a tenure of which nothing has opened does not. Whether its host has another key, by all that has come. */
  refused(tenure: string, isKeyframe: boolean): boolean {
    const before = this.#last?.tenure === tenure ? this.#last.keyframes : 0;
    this.#last = { tenure, keyframes: before + (isKeyframe ? 1 : 0) };
    return this.#last.keyframes >= KEYFRAMES;
  }

  /** A keyframe opens, of a tenure that was known or a new one; returns whether somebody has put in what did not. */
  began(isOfNewTenure: boolean): boolean {
    const isTurn = this.#last !== null && !isOfNewTenure;
    this.#last = null;
    if (isOfNewTenure) this.#turns = 0;
    if (isTurn) this.#turns += 1;
    return isTurn && this.#turns >= TURNS;
  }
}
