/** Whether the browser draws the page at all: one that is out of sight shows no frames either. */

export class Drawing {
  #drawn = false;
  #asked = false;

  /** Whether the page was drawn since this was last asked; false where browsers do not tell. */
  goesOn(): boolean {
    const drawn = this.#drawn;
    this.#drawn = false;
    if (!this.#asked && 'requestAnimationFrame' in globalThis) {
      this.#asked = true;
      requestAnimationFrame(() => {
        this.#asked = false;
        this.#drawn = true;
      });
    }
    return drawn;
  }
}
