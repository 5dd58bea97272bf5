/**
 * At which of several relays the HTTP API is asked: at the page's own, until that is silent, and then at another that
 * answers (PROTOCOL 2.15).
 */

import { fetchEndpoint } from './endpoint.ts';
import { pause } from './pause.ts';

/** Who the others are is asked no more often. */
const LEARN_EVERY_MS = 30_000;
/** Where there are others a relay has so long for its answer. */
const PATIENCE_MS = 3_000;

/** What an error says: the relay does not answer; it answers, but not for the others; it answers this. */
export type Verdict = 'silent' | 'stranger' | 'answered';

export interface AskOptions {
  /** What is asked changes something with each time that it is asked: nothing is asked twice. */
  once: boolean;
}

export class Places {
  readonly #home: string;
  readonly #judge: (error: unknown) => Verdict;
  #at: string;
  #others: readonly string[] = [];
  #learntMs = Number.NEGATIVE_INFINITY;

  /** `home`: the relay that the page comes from. */
  constructor(home: string, judge: (error: unknown) => Verdict) {
    this.#home = home;
    this.#judge = judge;
    this.#at = home;
  }

  /** The relay that is asked first. */
  get at(): string {
    return this.#at;
  }

  /** Asks the relay, and where that is silent the others, one after another. Throws what the first one threw. */
  async ask<T>(call: (relay: string) => Promise<T>, { once } = { once: false }): Promise<T> {
    const from = this.#at;
    const first = call(from);
    const heard = await this.#hear(first);
    if (heard === 'silent') {
      const elsewhere = await this.#elsewhere(from, once ? reached : call);
      if (elsewhere !== null && !once) return elsewhere as Promise<T>;
    } else {
      void this.#learn(from);
    }
    return first;
  }

  /** Waits for an answer: for long where nobody else can be asked. */
  async #hear(answer: Promise<unknown>): Promise<'silent' | 'said'> {
    const said = answer.then(
      () => 'said' as const,
      (error: unknown) => (this.#judge(error) === 'silent' ? 'silent' : 'said'),
    );
    if (this.#others.length === 0) return said;
    return Promise.race([said, pause(PATIENCE_MS).then(() => 'silent' as const)]);
  }

  /** The answer of the first that gives one, at which the API is asked from then on; null: none does. */
  async #elsewhere<T>(
    from: string,
    call: (relay: string) => Promise<T>,
  ): Promise<Promise<T> | null> {
    const all = new Set([this.#at, ...this.#others, this.#home]);
    all.delete(from);
    for (const relay of all) {
      const answer = call(relay);
      const verdict = await answer.then(() => 'answered' as const, this.#judge);
      if (verdict !== 'answered') continue;
      this.#at = relay;
      void this.#learn(relay);
      return answer;
    }
    return null;
  }

  /** Who the others are. Where nobody is named they are those of before, which may come back. */
  async #learn(from: string): Promise<void> {
    const nowMs = performance.now();
    if (nowMs - this.#learntMs < LEARN_EVERY_MS) return;
    this.#learntMs = nowMs;
    const told = await fetchEndpoint(from, new AbortController().signal).catch(() => null);
    if (told?.relays !== undefined) this.#others = told.relays;
  }
}

/** Whether a relay is there, of which nothing is asked. */
async function reached(relay: string): Promise<unknown> {
  return fetchEndpoint(relay, new AbortController().signal);
}
