/** Samples of one rate as samples of another, by a windowed sinc; the rate may drift meanwhile. Pure. */

/** Samples on each side of the place between them, where the rate does not fall. */
const REACH = 16;
/** Places between two samples that the kernel is known for; between those it is interpolated. */
const PHASES = 256;
/** Of what the narrower rate can carry, so much passes. */
const PASS = 0.92;
/** Of the Kaiser window: 80 dB of what does not pass is gone. */
const BETA = 8;

export class Resampler {
  /** Samples of the input that one of the output stands for, at the rates as they are said to be. */
  readonly step: number;
  readonly #reach: number;
  /** Phase after phase, one more than there are, each with the weights of all samples in reach. */
  readonly #kernel: Float32Array;
  readonly #planes: Float32Array[];
  /** Which sample of the whole input stands at the begin of the planes. */
  #first = 0;
  #length = 0;

  /** `room`: how many samples of the input are kept; what comes after that takes the place of the oldest. */
  constructor(inputRate: number, outputRate: number, channels: number, room: number) {
    this.step = inputRate / outputRate;
    const narrower = Math.min(1, outputRate / inputRate);
    this.#reach = Math.ceil(REACH / narrower);
    this.#kernel = kernelOf(this.#reach, narrower * PASS);
    // Twice as much as is kept, so that it moves to the front rarely.
    this.#planes = Array.from({ length: channels }, () => new Float32Array(2 * room));
  }

  get channels(): number {
    return this.#planes.length;
  }

  /** How many samples have come so far: the place of the next one. */
  get end(): number {
    return this.#first + this.#length;
  }

  /** The last place of the input that there is a sample for by now. */
  get ready(): number {
    return this.end - this.#reach - 1;
  }

  /** The first place that is still known. */
  get begin(): number {
    return this.#first;
  }

  push(planes: readonly Float32Array[]): void {
    const count = planes[0]?.length ?? 0;
    const size = this.#planes[0]?.length ?? 0;
    if (this.#length + count > size) this.#dropOldest(this.#length + count - size / 2);
    for (const [channel, plane] of this.#planes.entries()) {
      plane.set(planes[channel] ?? planes[0] ?? [], this.#length);
    }
    this.#length += count;
  }

  /** Lets go of what lies before this place, and is out of reach of it. */
  forget(place: number): void {
    const spent = Math.floor(place) - this.#reach - 1 - this.#first;
    const size = this.#planes[0]?.length ?? 0;
    // Moving is dear, so it waits until it is worth it.
    if (spent > size / 4) this.#shift(Math.min(spent, this.#length));
  }

  /**
   * The values of a channel at so many places of the input, whole or not, of which none is after `ready`.
   * What is not known any more is silent.
   */
  read(channel: number, place: number, step: number, out: Float32Array, count: number): void {
    const plane = this.#planes[channel] as Float32Array;
    const kernel = this.#kernel;
    const taps = 2 * this.#reach;
    const first = this.#first + this.#reach - 1;
    for (let index = 0; index < count; index += 1) {
      const at = place + index * step;
      const whole = Math.floor(at);
      const phase = (at - whole) * PHASES;
      const row = Math.floor(phase);
      const share = phase - row;
      const from = whole - first;
      const low = row * taps;
      const high = low + taps;
      let sum = 0;
      for (let tap = Math.max(0, -from); tap < taps; tap += 1) {
        const weight = kernel[low + tap] as number;
        sum +=
          (plane[from + tap] as number) *
          (weight + ((kernel[high + tap] as number) - weight) * share);
      }
      out[index] = sum;
    }
  }

  #dropOldest(count: number): void {
    this.#shift(Math.min(this.#length, Math.ceil(count)));
  }

  #shift(count: number): void {
    for (const plane of this.#planes) plane.copyWithin(0, count, this.#length);
    this.#first += count;
    this.#length -= count;
  }
}

/** Weights of the samples around a place between two, for each phase of it; those of a phase add up to 1. */
function kernelOf(reach: number, pass: number): Float32Array {
  const taps = 2 * reach;
  const kernel = new Float32Array((PHASES + 1) * taps);
  for (let phase = 0; phase <= PHASES; phase += 1) {
    const weights = Array.from({ length: taps }, (_, tap) => {
      const away = tap - reach + 1 - phase / PHASES;
      return sinc(away * pass) * kaiser(away / reach);
    });
    const sum = weights.reduce((total, weight) => total + weight, 0);
    for (const [tap, weight] of weights.entries()) kernel[phase * taps + tap] = weight / sum;
  }
  return kernel;
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

/** From -1 to 1; nothing outside. */
function kaiser(x: number): number {
  return Math.abs(x) >= 1 ? 0 : bessel(BETA * Math.sqrt(1 - x * x)) / bessel(BETA);
}

/** The modified Bessel function of the first kind and order 0. */
function bessel(x: number): number {
  let term = 1;
  let sum = 1;
  for (let k = 1; term > sum * 1e-12; k += 1) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}
