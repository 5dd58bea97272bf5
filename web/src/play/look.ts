/** Whether anything is to be seen on a video. */

/** The side of the picture's miniature that is looked at. */
const SIDE = 8;
/** A video that has lost its source shows black, not quite 0 after conversion. */
const DARK = 4;

/** Looks at a miniature of a picture. */
export class Sampler {
  #sheet: CanvasRenderingContext2D | null = null;

  /** Empty, or black all over. */
  isBlank(picture: CanvasImageSource): boolean {
    this.#sheet ??= miniature();
    this.#sheet.clearRect(0, 0, SIDE, SIDE);
    this.#sheet.drawImage(picture, 0, 0, SIDE, SIDE);
    const { data } = this.#sheet.getImageData(0, 0, SIDE, SIDE);
    return data.every((value, at) => at % 4 === 3 || value < DARK);
  }
}

function miniature(): CanvasRenderingContext2D {
  const canvas = document.createElement('canvas');
  canvas.width = SIDE;
  canvas.height = SIDE;
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (context === null) throw new TypeError('this browser draws on no canvas');
  return context;
}
