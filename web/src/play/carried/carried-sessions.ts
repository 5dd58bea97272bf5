/** In the worker: the WebRTC sessions of its page, one after another, as the player knows sessions. */

import type { ClientMessage } from '@steadycast/codec-glue';
import { localUs } from '../../session/clock.ts';
import type { Refusal } from '../../session/reconnect.ts';
import type { ConnectOptions } from '../carrier.ts';
import { CarriedIntake, CarriedSession } from './session.ts';
import type { CarriedAnswer, CarriedWord, Transformer } from './words.ts';

/** How often the page is told how many frames have come. */
const COUNTED_EVERY_MS = 200;

export class CarriedSessions {
  readonly #answer: (answer: CarriedAnswer) => void;
  /** Of the newest sessions; older ones are over. */
  readonly #intakes = new Map<number, CarriedIntake>();
  #newest = 0;
  #current: { number: number; session: CarriedSession } | null = null;
  #onState: ConnectOptions['onState'] | null = null;
  /** What was said before the player listened. */
  #before: CarriedWord[] = [];
  #finish: (refusal: Refusal | null) => void = () => undefined;

  constructor(answer: (answer: CarriedAnswer) => void) {
    this.#answer = answer;
  }

  /** A player's way to its sessions. */
  connect({ signal, onState }: ConnectOptions): Promise<Refusal | null> {
    this.#onState = onState;
    const over = new Promise<Refusal | null>((resolve) => {
      this.#finish = resolve;
      signal.addEventListener('abort', () => resolve(null));
    });
    const before = this.#before;
    this.#before = [];
    for (const word of before) this.hear(word);
    return over.finally(() => {
      for (const intake of this.#intakes.values()) intake.close();
    });
  }

  transform(transformer: Transformer): void {
    void this.#intake(transformer.options.session)?.read(transformer);
  }

  hear(word: CarriedWord): void {
    if (this.#onState === null) {
      this.#before.push(word);
      return;
    }
    switch (word.kind) {
      case 'state':
        this.#current = null;
        this.#onState(word.state);
        if (word.state.kind === 'refused' || word.state.kind === 'unsupported') {
          this.#finish(word.state);
        }
        break;
      case 'open':
        this.#open(word, this.#onState);
        break;
      case 'said':
        this.#intake(word.session)?.said(word.message);
        break;
      case 'clock':
        if (word.session === this.#current?.number) this.#current.session.clock.add(word.sample);
        break;
      case 'heard':
        this.#intake(word.session)?.heard();
        break;
      case 'roundTrip':
        if (word.session === this.#current?.number) {
          this.#current.session.rttUs = word.ms * 1_000;
        }
        break;
    }
  }

  #open(
    word: Extract<CarriedWord, { kind: 'open' }>,
    onState: NonNullable<ConnectOptions['onState']>,
  ): void {
    const intake = this.#intake(word.session);
    if (intake === null) return;
    const say = (message: ClientMessage) => {
      if (this.#current?.number === word.session) this.#answer({ kind: 'say', message });
    };
    const session = new CarriedSession(word, intake, say);
    this.#current = { number: word.session, session };
    onState({ kind: 'open', session });
  }

  /** What comes of a session; null: there has been a newer one since. */
  #intake(number: number): CarriedIntake | null {
    const known = this.#intakes.get(number);
    if (known !== undefined || number < this.#newest) return known ?? null;
    for (const [other, intake] of this.#intakes) {
      intake.close();
      this.#intakes.delete(other);
    }
    this.#newest = number;
    const counted = seldom((frames: number) => {
      this.#answer({ kind: 'frames', session: number, frames });
    });
    const made = new CarriedIntake(localUs(), counted);
    this.#intakes.set(number, made);
    return made;
  }
}

/** Passes a count on now and then, and the last one in any case. */
function seldom(tell: (count: number) => void): (count: number) => void {
  let newest = 0;
  let waits = false;
  return (count) => {
    newest = count;
    if (waits) return;
    waits = true;
    setTimeout(() => {
      waits = false;
      tell(newest);
    }, COUNTED_EVERY_MS);
  };
}
