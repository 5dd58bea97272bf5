/**
 * What the captured page draws, as bits: a code of big cells that says when it was drawn, and a
 * ruler of single pixels that says where. These functions run in pages as well as here.
 */

/** The code's place in the captured page, and its cells. */
export const CODE = { x: 60, y: 60, cell: 16, columns: 18, rows: 4 } as const;
/** Every so many pixels a band of the ruler begins, so many pixels thick. */
export const RULER = { period: 48, thickness: 4, order: 11 } as const;

export interface Stamp {
  /** When it was drawn: Unix milliseconds, the lower 32 bits. */
  clock: number;
  /** Counts drawings, modulo 2^8. */
  counter: number;
  /** Which document drew it, modulo 2^16. */
  scene: number;
}

/** 56 bits of stamp and 16 of checksum. */
export function stampBits({ clock, counter, scene }: Stamp): boolean[] {
  const bytes = [
    (clock >>> 24) & 255,
    (clock >>> 16) & 255,
    (clock >>> 8) & 255,
    clock & 255,
    counter & 255,
    (scene >>> 8) & 255,
    scene & 255,
  ];
  const sum = checksum(bytes);
  return [...bytes, sum >>> 8, sum & 255].flatMap((byte) =>
    Array.from({ length: 8 }, (_, bit) => ((byte >>> (7 - bit)) & 1) === 1),
  );
}

/** Null when the checksum is wrong. */
export function readStamp(bits: readonly boolean[]): Stamp | null {
  const byte = (at: number) =>
    bits.slice(at * 8, at * 8 + 8).reduce((value, bit) => value * 2 + (bit ? 1 : 0), 0);
  const bytes = [0, 1, 2, 3, 4, 5, 6].map(byte);
  if (checksum(bytes) !== byte(7) * 256 + byte(8)) return null;
  const [a = 0, b = 0, c = 0, d = 0, counter = 0, high = 0, low = 0] = bytes;
  const clock = ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
  return { clock, counter, scene: high * 256 + low };
}

/** CRC-16/CCITT; nothing is not zero. */
export function checksum(bytes: readonly number[]): number {
  let sum = 0xffff;
  for (const byte of bytes) {
    sum ^= byte << 8;
    for (let bit = 0; bit < 8; bit += 1) {
      sum = (sum & 0x8000) === 0 ? sum << 1 : (sum << 1) ^ 0x1021;
    }
    sum &= 0xffff;
  }
  return sum;
}

/** A de Bruijn sequence: `order` bits in a row occur once in its 2^order bits. */
export function rulerBits(order: number): boolean[] {
  const seen = new Set<number>();
  const mask = 2 ** order - 1;
  const bits: boolean[] = Array.from({ length: order }, () => false);
  let window = 0;
  seen.add(0);
  while (bits.length < 2 ** order) {
    const one = (window * 2 + 1) & mask;
    const next = seen.has(one) ? (window * 2) & mask : one;
    if (seen.has(next)) break;
    seen.add(next);
    window = next;
    bits.push((next & 1) === 1);
  }
  return bits;
}
