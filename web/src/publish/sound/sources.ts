/** The document half of a host's sound: holds its tracks, and hands what they give to the worker. */

import type { ToWorker } from '../worker-messages.ts';
import type { DeviceChoice } from './choice.ts';
import { Microphone } from './microphone.ts';
import { sharedFacts } from './shared.ts';

/** Chunks that wait for a busy worker: half a second of most devices. What comes then takes the place of the oldest. */
const WAITING_MAX = 50;

export class SoundSources {
  readonly #post: (message: ToWorker, transfer: Transferable[]) => void;
  readonly #microphone: Microphone;
  #shared: MediaStreamTrack | null = null;

  constructor(post: (message: ToWorker, transfer: Transferable[]) => void) {
    this.#post = post;
    this.#microphone = new Microphone({
      permission: async () => navigator.permissions.query({ name: 'microphone' }),
      onTrack: (track, facts) => {
        const readable = track === null ? null : soundOf(track);
        post({ type: 'microphone', readable, facts }, readable === null ? [] : [readable]);
      },
    });
  }

  /** Something is shared, with this sound or without any; the microphone is listened to meanwhile. */
  share(sound: MediaStreamTrack | null, surface: string): void {
    const before = this.#shared;
    this.#shared = sound;
    before?.stop();
    sound?.addEventListener('ended', () => {
      if (sound === this.#shared) this.#ended();
    });
    const readable = sound === null ? null : soundOf(sound);
    const facts = sharedFacts(sound, surface);
    this.#post({ type: 'shared', readable, facts }, readable === null ? [] : [readable]);
    this.#microphone.open();
  }

  /** Which microphone is to be listened to; null: none. */
  wish(device: DeviceChoice | null): void {
    this.#microphone.wish(device);
  }

  /** Nothing is shared any more. */
  close(): void {
    const shared = this.#shared;
    this.#shared = null;
    shared?.stop();
    this.#microphone.close();
  }

  #ended(): void {
    this.#shared = null;
    this.#post({ type: 'shared', readable: null, facts: { kind: null, lacks: 'ended' } }, []);
  }
}

function soundOf(track: MediaStreamTrack): ReadableStream<AudioData> {
  return new MediaStreamTrackProcessor<AudioData>({ track, maxBufferSize: WAITING_MAX }).readable;
}
