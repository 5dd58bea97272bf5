/** The sound of one player's worker, on the page: what plays it comes when it is wanted and there is some. */

import { localUs } from '../../session/clock.ts';
import { isFirefox } from '../firefox.ts';
import type { HeardSound } from '../messages.ts';
import type { PlayoutMode } from '../spread.ts';
import type { HeardAt } from './messages.ts';
import type { OutputOptions, SoundOutput } from './output.ts';
import { gainOf, type SoundWish, UNHEARD } from './wish.ts';

export interface OwnSoundListener {
  /** Where the worker's sound goes; null: nowhere. */
  onPort: (port: MessagePort | null) => void;
  onHeard: (at: HeardAt) => void;
  onChange: () => void;
}

/** As much of what plays sound as is used. */
type Output = Pick<SoundOutput, 'gain' | 'resume' | 'close'>;

export interface OutputModule {
  SoundOutput: new (options: OutputOptions) => Output;
}

type Stage = 'off' | 'starting' | 'on' | 'blocked' | 'failed';

export class OwnSound {
  readonly #listener: OwnSoundListener;
  readonly #load: () => Promise<OutputModule>;
  #mode: PlayoutMode;
  #wish = UNHEARD;
  /** Whether the broadcast has sound. */
  #there = false;
  #stage: Stage = 'off';
  #output: Output | null = null;
  /** Counts what was begun: what loads meanwhile may come too late. */
  #begun = 0;

  /** `load` brings what plays sound. */
  constructor(
    mode: PlayoutMode,
    listener: OwnSoundListener,
    load: () => Promise<OutputModule> = () => import('./output.ts'),
  ) {
    this.#mode = mode;
    this.#listener = listener;
    this.#load = load;
  }

  get state(): HeardSound['state'] {
    if (!this.#there || this.#stage === 'failed') return 'none';
    return this.#wish.on ? this.#stage : 'off';
  }

  set wish(wish: SoundWish) {
    this.#wish = wish;
    if (this.#output !== null) this.#output.gain = gainOf(wish);
    if (wish.on) this.resume();
    this.#follow();
  }

  get there(): boolean {
    return this.#there;
  }

  set there(there: boolean) {
    this.#there = there;
    this.#follow();
  }

  /** How much the browser takes at a time goes by the mode: another one begins anew. */
  set mode(mode: PlayoutMode) {
    if (mode === this.#mode) return;
    this.#mode = mode;
    this.#end();
    this.#follow();
  }

  /** To be called at a viewer's gesture. */
  resume(): void {
    this.#output?.resume();
  }

  close(): void {
    this.#wish = UNHEARD;
    this.#follow();
  }

  #follow(): void {
    if (!this.#wish.on) this.#end();
    else if (this.#there && this.#stage === 'off') void this.#begin();
  }

  async #begin(): Promise<void> {
    this.#begun += 1;
    const begun = this.#begun;
    const current = () => begun === this.#begun;
    this.#stage = 'starting';
    try {
      const { SoundOutput } = await this.#load();
      if (!current()) return;
      this.#output = new SoundOutput({
        mode: this.#mode,
        gain: gainOf(this.#wish),
        asks: !isFirefox(),
        listener: {
          onState: (stage) => current() && this.#set(stage),
          onPort: (port) => current() && this.#listener.onPort(port),
          onHeard: (frame, agoMs) => {
            if (current()) this.#listener.onHeard({ frame, localUs: localUs() - agoMs * 1_000 });
          },
        },
      });
    } catch {
      // A browser that lacks a part of it plays the picture all the same.
      if (current()) this.#set('failed');
    }
  }

  #end(): void {
    if (this.#stage === 'off') return;
    this.#begun += 1;
    this.#output?.close();
    this.#output = null;
    this.#listener.onPort(null);
    this.#set('off');
  }

  #set(stage: Stage): void {
    if (stage === this.#stage) return;
    this.#stage = stage;
    this.#listener.onChange();
  }
}
