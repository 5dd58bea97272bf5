/** The worker half of a host's sound: what it is made of, as the document gives it, and what becomes of it. */

import { SOUND_SINCE } from '@steadycast/codec-glue';
import type { Sealing } from '../../privacy/sealing.ts';
import type { RelaySession } from '../../session/index.ts';
import type { FromWorker, ToWorker } from '../worker-messages.ts';
import { type SoundChoice, sameDevice } from './choice.ts';
import { type Levels, NO_MICROPHONE, NOTHING_SHARED, type SoundFacts } from './facts.ts';
import { SoundPipeline } from './pipeline.ts';

export interface HostSoundOptions {
  /** To the document, which alone can listen to a microphone. */
  post: (message: FromWorker) => void;
  /** Told while a panel watches them. */
  onLevels: (levels: Levels) => void;
  isWatched: () => boolean;
}

export class HostSound {
  readonly #post: HostSoundOptions['post'];
  readonly #pipeline: SoundPipeline;
  #from: Pick<SoundFacts, 'shared' | 'microphone'> = {
    shared: NOTHING_SHARED,
    microphone: NO_MICROPHONE,
  };

  constructor({ post, ...levels }: HostSoundOptions) {
    this.#post = post;
    this.#pipeline = new SoundPipeline(levels);
  }

  /** A source is another one from now on, or there is none. */
  hear(message: Extract<ToWorker, { type: 'shared' | 'microphone' }>): void {
    if (message.type === 'shared') this.#from = { ...this.#from, shared: message.facts };
    else this.#from = { ...this.#from, microphone: message.facts };
    void this.#pipeline.run(message.type, message.readable);
  }

  choose(choice: SoundChoice): void {
    const { device } = choice.microphone;
    if (!sameDevice(device, this.#pipeline.choice.microphone.device))
      this.#post({ type: 'microphone', device });
    this.#pipeline.choose(choice);
  }

  /** Null: there is no session at present. A relay of before hears nothing of sound. */
  connect(session: RelaySession | null, sealing: Sealing | null = null): void {
    const knows = (session?.welcome.version ?? 0) >= SOUND_SINCE;
    this.#pipeline.connect(knows ? session : null, session?.welcome.status.epoch ?? 0, sealing);
  }

  /** So many are to hear it, and each datagram is to repeat so many frames. */
  listen(players: number, repeats: number): void {
    this.#pipeline.listen(players, repeats);
  }

  /** Nothing is captured any more. */
  stop(): void {
    this.#from = { shared: NOTHING_SHARED, microphone: NO_MICROPHONE };
    this.#pipeline.stop();
  }

  facts(): SoundFacts {
    return { ...this.#pipeline.facts(), ...this.#from };
  }
}
