/** Which frame of its group a picture needs before it, by temporal layers (PROTOCOL 12.4); pure. */

export class Following {
  /** The newest frame of each layer, by its index. */
  #newest: number[] = [];

  /** How many frames before this one the newest stands that it needs; 0 for the first of a group. */
  distance(index: number, layer: number): number {
    if (index === 0) this.#newest = [];
    // No frame depends on one of a higher layer.
    const before = Math.max(0, ...this.#newest.slice(0, layer + 1));
    this.#newest = Array.from({ length: Math.max(layer + 1, this.#newest.length) }, (_, at) =>
      at === layer ? index : (this.#newest[at] ?? 0),
    );
    return index - before;
  }
}
