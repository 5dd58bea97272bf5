/** How samples become colours (PROTOCOL 4.2). */

/** Which red, green and blue; the first one's number on the wire is 1. */
export const PRIMARIES = ['bt709', 'bt470bg', 'smpte170m', 'bt2020', 'smpte432'] as const;
/** How light grows with the number; numbered likewise. */
export const TRANSFERS = ['bt709', 'smpte170m', 'iec61966-2-1', 'linear', 'pq', 'hlg'] as const;
/** How red, green and blue make brightness and colour; numbered likewise. */
export const MATRICES = ['rgb', 'bt709', 'bt470bg', 'smpte170m', 'bt2020-ncl'] as const;

/** What a picture's samples mean, in the words of WebCodecs (`VideoColorSpace`). */
export interface Colour {
  primaries: (typeof PRIMARIES)[number];
  transfer: (typeof TRANSFERS)[number];
  matrix: (typeof MATRICES)[number];
  /** Samples use all their numbers, instead of 16 to 235. */
  fullRange: boolean;
}

/** What WebCodecs says of a colour, as far as it knows. */
export interface ColourNames {
  primaries?: string | null;
  transfer?: string | null;
  matrix?: string | null;
  fullRange?: boolean | null;
}

/** The first version whose sessions may carry one (PROTOCOL 2.11). */
export const COLOUR_SINCE = 2;
const FULL_RANGE = 0x80;

/** The colour with these names; null where one of them has no number. */
export function colourOf(names: ColourNames | null | undefined): Colour | null {
  const primaries = PRIMARIES.find((name) => name === names?.primaries);
  const transfer = TRANSFERS.find((name) => name === names?.transfer);
  const matrix = MATRICES.find((name) => name === names?.matrix);
  if (primaries === undefined || transfer === undefined || matrix === undefined) return null;
  return { primaries, transfer, matrix, fullRange: names?.fullRange === true };
}

/**
 * What a keyframe's header says in its flags and in its byte of colour; null when it says nothing,
 * or something that a later version may mean.
 */
export function readColour(flags: number, byte: number): Colour | null {
  const primaries = PRIMARIES[((flags >> 4) & 7) - 1];
  const transfer = TRANSFERS[(byte & 7) - 1];
  const matrix = MATRICES[((byte >> 3) & 7) - 1];
  if (primaries === undefined || transfer === undefined || matrix === undefined) return null;
  return { primaries, transfer, matrix, fullRange: (flags & FULL_RANGE) !== 0 };
}

/** The bits for the flags, and the byte of colour. */
export function colourBits(colour: Colour | null): { flags: number; byte: number } {
  if (colour === null) return { flags: 0, byte: 0 };
  const primaries = PRIMARIES.indexOf(colour.primaries) + 1;
  const transfer = TRANSFERS.indexOf(colour.transfer) + 1;
  const matrix = MATRICES.indexOf(colour.matrix) + 1;
  return {
    flags: (colour.fullRange ? FULL_RANGE : 0) | (primaries << 4),
    byte: (matrix << 3) | transfer,
  };
}

export function sameColour(one: Colour | null, other: Colour | null): boolean {
  if (one === null || other === null) return one === other;
  return (
    one.primaries === other.primaries &&
    one.transfer === other.transfer &&
    one.matrix === other.matrix &&
    one.fullRange === other.fullRange
  );
}
