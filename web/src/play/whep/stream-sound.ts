/** Plays the sound of connections, one at a time, in elements of their own: the picture's videos stay muted. */

import { gainOf, type SoundWish, UNHEARD } from '../sound/wish.ts';

export interface StreamSoundListener {
  /** Whether the browser wants a touch or a click first. */
  onBlocked: (blocked: boolean) => void;
}

/** A change of loudness in so many steps of so long makes no click. */
const STEPS = 5;
const STEP_MS = 8;

export class StreamSound {
  readonly #listener: StreamSoundListener;
  #wish = UNHEARD;
  #stream: MediaStream | null = null;
  #playing: Fading | null = null;

  constructor(listener: StreamSoundListener) {
    this.#listener = listener;
  }

  /** Whether anything is played. */
  get on(): boolean {
    return this.#playing !== null;
  }

  set wish(wish: SoundWish) {
    this.#wish = wish;
    if (!wish.on) this.#end();
    else if (this.#playing === null) this.#begin();
    else {
      // It may be said at the gesture that the browser waits for.
      this.resume();
      this.#playing.to(gainOf(wish));
    }
  }

  /** Plays this connection's from now on; null: none. Another one's fades away. */
  set stream(stream: MediaStream | null) {
    if (stream === this.#stream) return;
    this.#stream = stream;
    this.#end();
    this.#begin();
  }

  /** To be called at a viewer's gesture. */
  resume(): void {
    this.#playing?.play(this.#listener.onBlocked);
  }

  #begin(): void {
    if (!this.#wish.on || this.#stream === null) return;
    this.#playing = new Fading(this.#stream);
    this.#playing.play(this.#listener.onBlocked);
    this.#playing.to(gainOf(this.#wish));
  }

  #end(): void {
    this.#playing?.end();
    this.#playing = null;
  }
}

/** An element whose loudness changes without a click. */
class Fading {
  readonly #element = document.createElement('audio');
  #timer: ReturnType<typeof setInterval> | undefined;
  #over = false;

  constructor(stream: MediaStream) {
    this.#element.volume = 0;
    this.#element.srcObject = stream;
  }

  play(onBlocked: (blocked: boolean) => void): void {
    const told = (blocked: boolean) => {
      if (!this.#over) onBlocked(blocked);
    };
    this.#element.play().then(
      () => told(false),
      (error: unknown) => {
        if (error instanceof DOMException && error.name === 'NotAllowedError') told(true);
      },
    );
  }

  to(volume: number, then: () => void = () => undefined): void {
    clearInterval(this.#timer);
    const from = this.#element.volume;
    let step = 0;
    this.#timer = setInterval(() => {
      step += 1;
      this.#element.volume = from + ((volume - from) * step) / STEPS;
      if (step < STEPS) return;
      clearInterval(this.#timer);
      then();
    }, STEP_MS);
  }

  end(): void {
    this.#over = true;
    this.to(0, () => {
      this.#element.pause();
      this.#element.srcObject = null;
    });
  }
}
