/** How far a picture is from another; for pages, which are given these functions as parts of a script. */

/** The luma of pixels of four bytes, red first. */
export function lumaOf(pixels: Uint8Array | Uint8ClampedArray): Uint8Array {
  const out = new Uint8Array(pixels.length / 4);
  for (let at = 0; at < out.length; at += 1) {
    const from = at * 4;
    out[at] =
      ((pixels[from] ?? 0) * 299 + (pixels[from + 1] ?? 0) * 587 + (pixels[from + 2] ?? 0) * 114) /
      1_000;
  }
  return out;
}

/** In dB, of two lumas of the same size. */
export function psnr(one: Uint8Array, other: Uint8Array): number {
  let error = 0;
  for (let at = 0; at < one.length; at += 1) {
    const by = (one[at] ?? 0) - (other[at] ?? 0);
    error += by * by;
  }
  return 10 * Math.log10((255 * 255) / Math.max(error / one.length, 0.01));
}
