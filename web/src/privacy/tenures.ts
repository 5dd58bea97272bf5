/** Which tenure of a host is the newest, whatever relays say of epochs (PROTOCOL 12.6); pure. */

/** late: of one that is over; replayed: older than what has been seen, or over for long. */
export type TenureVerdict =
  | { kind: 'current'; number: number }
  | { kind: 'late' }
  | { kind: 'replayed' };

/** Two hosts' clocks may be so far apart. */
const CLOCKS_US = 60_000_000;
/** Of so many it is known that they are over. */
const OVER_MAX = 256;
/** What the last one has sent may still be on its way for so long after the next has begun. */
const LATE_US = 5_000_000;

export class Tenures {
  #current: string | null = null;
  #number = 0;
  /** The newest time that a host has sealed into a frame. */
  #newestUs = Number.NEGATIVE_INFINITY;
  readonly #over = new Set<string>();

  /** `capturedUs` is what its host has sealed into a frame that has opened. */
  admit(tenure: string, capturedUs: number): TenureVerdict {
    if (tenure !== this.#current) {
      if (this.#over.has(tenure)) {
        const late = capturedUs >= this.#newestUs - LATE_US;
        return late ? { kind: 'late' } : { kind: 'replayed' };
      }
      if (capturedUs < this.#newestUs - CLOCKS_US) return { kind: 'replayed' };
      this.#begin(tenure);
    }
    this.#newestUs = Math.max(this.#newestUs, capturedUs);
    return { kind: 'current', number: this.#number };
  }

  /** Whether something of it has opened. */
  knows(tenure: string): boolean {
    return tenure === this.#current || this.#over.has(tenure);
  }

  #begin(tenure: string): void {
    if (this.#current !== null) this.#over.add(this.#current);
    const [oldest] = this.#over;
    if (this.#over.size > OVER_MAX && oldest !== undefined) this.#over.delete(oldest);
    this.#current = tenure;
    this.#number += 1;
  }
}
