/** How loud something is, for the eye; pure. */

/** Below this much nobody sees anything: -60 dB. */
const FLOOR_DB = -60;

/** The highest sample since somebody looked. */
export class LevelMeter {
  #peak = 0;

  heard(sample: number): void {
    const loud = Math.abs(sample);
    if (loud > this.#peak) this.#peak = loud;
  }

  /** From 0, silent, to 1, as loud as can be, in steps that ears take for equal ones. Forgets what it has heard. */
  read(): number {
    const peak = this.#peak;
    this.#peak = 0;
    return levelOf(peak);
  }
}

export function levelOf(peak: number): number {
  if (peak <= 0) return 0;
  const decibels = 20 * Math.log10(Math.min(1, peak));
  return Math.max(0, 1 - decibels / FLOOR_DB);
}
