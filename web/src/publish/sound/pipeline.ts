/**
 * From the captured sound to the session: mix, encode, send. Everything happens when a chunk of sound
 * arrives, so that it goes on in windows that nobody sees; there is no timer.
 */

import type { ClientMessage, SoundFormat } from '@steadycast/codec-glue';
import type { Sealing } from '../../privacy/sealing.ts';
import { localUs } from '../../session/index.ts';
import { RateMeter } from '../meters.ts';
import { DEFAULT_SOUND, loudnessOf, type SoundChoice } from './choice.ts';
import { SoundClock } from './clock.ts';
import { type Channels, type EncodedSound, SoundEncoder } from './encoder.ts';
import { type Levels, SOURCES, type SoundFacts, type SourceName } from './facts.ts';
import { type MixedFrame, Mixer } from './mixer.ts';
import { Strip } from './strip.ts';
import { Timeline } from './timeline.ts';
import { type SoundCarrier, SoundUplink } from './uplink.ts';

/** Levels are told after so many frames: ten times a second. */
const LEVEL_FRAMES = 5;
/** An encoder that fails is made anew, but not again and again. */
const FAILURES_MAX = 5;

/** The part of a session that sound needs. */
export interface SoundSession extends SoundCarrier {
  send(message: Extract<ClientMessage, { type: 'sound' }>): void;
}

/** What is attached: its samples come until the stream ends or another takes its place. */
interface Source {
  strip: Strip;
  reader: ReadableStreamDefaultReader<AudioData>;
  channels: Channels;
}

export interface SoundPipelineOptions {
  /** Told while somebody watches them. */
  onLevels: (levels: Levels) => void;
  isWatched: () => boolean;
  /** What tests replace. */
  encoderOf?: (...options: ConstructorParameters<typeof SoundEncoder>) => SoundEncoder;
}

export class SoundPipeline {
  readonly #options: SoundPipelineOptions;
  readonly #sources = new Map<SourceName, Source>();
  readonly #mixer = new Mixer();
  readonly #timeline = new Timeline(localUs());
  readonly #rate = new RateMeter();
  #choice = DEFAULT_SOUND;
  #session: SoundSession | null = null;
  #uplink: SoundUplink | null = null;
  /** What the session was told. */
  #format: SoundFormat | null = null;
  #encoder: SoundEncoder | null = null;
  /** What leaves is to begin anew: something was not encoded. */
  #begins = true;
  #failures = 0;
  #takingBack = false;
  #listeners = { players: 0, repeat: 0 };
  #frames = 0;
  #totals = { sent: 0, left: 0, gaps: 0 };

  constructor(options: SoundPipelineOptions) {
    this.#options = options;
  }

  /** Takes a source's samples in place of those before; null: it has none any more. Resolves at their end. */
  async run(name: SourceName, readable: ReadableStream<AudioData> | null): Promise<void> {
    this.#end(name);
    if (readable === null) return;
    const reader = readable.getReader();
    const strip = new Strip();
    const loudness = loudnessOf(this.#choice[name]);
    strip.gain = loudness;
    // What is shared has two channels most often, and a microphone one: the first samples say.
    const source: Source = { strip, reader, channels: name === 'shared' ? 2 : 1 };
    this.#sources.set(name, source);
    this.#mixer.add(strip);
    this.#judge();
    const clock = new SoundClock();
    for (;;) {
      const { value } = await reader.read().catch(() => ({ value: undefined }));
      if (value === undefined) break;
      if (this.#sources.get(name) === source) this.#take(source, clock, value);
      value.close();
    }
    if (this.#sources.get(name) === source) this.#end(name);
  }

  /** All sources end. */
  stop(): void {
    for (const name of SOURCES) this.#end(name);
  }

  choose(choice: SoundChoice): void {
    this.#choice = choice;
    for (const [name, { strip }] of this.#sources) strip.gain = loudnessOf(choice[name]);
    this.#judge();
  }

  /** Null: there is no session at present, or its relay knows nothing of sound. */
  connect(session: SoundSession | null, epoch: number, sealing: Sealing | null = null): void {
    this.#session = session;
    this.#uplink = session === null ? null : new SoundUplink(session, epoch, sealing);
    this.#listeners = { players: 0, repeat: 0 };
    // A new epoch begins without sound (PROTOCOL 9.1).
    this.#format = null;
    this.#begins = true;
    this.#judge();
  }

  /** How many are to hear it, and how many frames each datagram is to repeat (PROTOCOL 9.4). */
  listen(players: number, repeat: number): void {
    this.#listeners = { players, repeat };
    if (this.#uplink !== null) this.#uplink.repeat = repeat;
  }

  get choice(): SoundChoice {
    return this.#choice;
  }

  facts(): Omit<SoundFacts, 'shared' | 'microphone'> {
    return {
      choice: this.#choice,
      channels: this.#wished()?.channels ?? null,
      listeners: this.#listeners.players,
      repeats: this.#listeners.repeat,
      bitsPerSecond: 8 * this.#rate.rate(performance.now()),
      ...this.#totals,
      gaps: [...this.#sources.values()].reduce(
        (sum, { strip }) => sum + strip.gaps,
        this.#totals.gaps,
      ),
    };
  }

  #end(name: SourceName): void {
    const source = this.#sources.get(name);
    if (source === undefined) return;
    this.#sources.delete(name);
    source.reader.cancel().catch(() => undefined);
    this.#totals.gaps += source.strip.gaps;
    this.#mixer.remove(source.strip);
    this.#pull();
    if (this.#sources.size === 0) void this.#letGo();
  }

  /** Nothing is held of what nobody makes anything with. */
  async #letGo(): Promise<void> {
    const encoder = this.#encoder;
    await encoder?.drained();
    if (this.#sources.size > 0 || encoder !== this.#encoder) return;
    encoder?.close();
    this.#encoder = null;
  }

  #take(source: Source, clock: SoundClock, data: AudioData): void {
    const { timestamp, duration, numberOfChannels, sampleRate, numberOfFrames } = data;
    const capturedUs = clock.localUs(timestamp, duration, localUs());
    if (capturedUs === null) return;
    const channels = numberOfChannels > 1 ? 2 : 1;
    source.channels = channels;
    if (!this.#isNeeded) {
      source.strip.rest();
      this.#judge();
      return;
    }
    const planes = Array.from({ length: channels }, (_, planeIndex) => {
      const plane = new Float32Array(numberOfFrames);
      data.copyTo(plane, { planeIndex, format: 'f32-planar' });
      return plane;
    });
    source.strip.take({ planes, rate: sampleRate, place: this.#timeline.placeOf(capturedUs) });
    this.#pull();
  }

  /** What nobody hears or sees need not be mixed. */
  get #isNeeded(): boolean {
    return this.#listeners.players > 0 || this.#options.isWatched();
  }

  #pull(): void {
    for (let frame = this.#mixer.pull(); frame !== null; frame = this.#mixer.pull()) {
      this.#encode(frame);
      this.#frames += 1;
      if (this.#frames % LEVEL_FRAMES === 0) this.#tellLevels();
    }
    this.#judge();
  }

  #tellLevels(): void {
    const level = (name: SourceName) => this.#sources.get(name)?.strip.level() ?? 0;
    this.#options.onLevels({ shared: level('shared'), microphone: level('microphone') });
  }

  #encode(frame: MixedFrame): void {
    const format = this.#format;
    if (format === null || this.#listeners.players === 0) {
      this.#begins = true;
      return;
    }
    const encoder = this.#encoderFor(format.channels === 2 ? 2 : 1);
    if (encoder === null) return;
    const begins = frame.begins || this.#begins;
    const capturedUs = this.#timeline.localUs(frame.place);
    const taken = encoder.encode(frame.left, frame.right, { capturedUs, begins });
    if (taken) this.#begins = false;
    else this.#totals.left += 1;
  }

  #encoderFor(channels: Channels): SoundEncoder | null {
    if (this.#encoder?.channels === channels) return this.#encoder;
    this.#encoder?.close();
    this.#encoder = null;
    if (this.#failures >= FAILURES_MAX) return null;
    const { encoderOf = (...options) => new SoundEncoder(...options) } = this.#options;
    const encoder = encoderOf(channels, {
      onSound: (sound) => {
        if (encoder === this.#encoder) this.#send(sound);
      },
      onError: () => {
        if (encoder === this.#encoder) this.#fail();
      },
    });
    this.#encoder = encoder;
    this.#begins = true;
    return encoder;
  }

  #fail(): void {
    this.#failures += 1;
    this.#encoder = null;
  }

  #send(sound: EncodedSound): void {
    const uplink = this.#uplink;
    // What is of a format that was taken back is heard by nobody.
    if (uplink === null || this.#format === null) return;
    const { left } = uplink.counts;
    this.#rate.add(performance.now(), uplink.send(sound));
    this.#totals.sent += 1;
    this.#totals.left += uplink.counts.left - left;
  }

  /** What is to be heard now; null: nothing. A source that is being muted is heard until it is silent. */
  #wished(): SoundFormat | null {
    const sources = [...this.#sources.values()];
    if (!sources.some(({ strip }) => strip.isHeard)) return null;
    // Muting one source is no reason to change the others' format.
    const channels = Math.max(...sources.map((source) => source.channels));
    return { codec: 'opus', channels };
  }

  /** Tells the relay what there is, where that has changed. */
  #judge(): void {
    const wished = this.#wished();
    if (wished?.channels === this.#format?.channels) return;
    if (wished === null) {
      void this.#takeBack();
      return;
    }
    this.#say(wished);
    this.#begins = true;
  }

  /** What fades is sent before it is said that there is nothing more. */
  async #takeBack(): Promise<void> {
    if (this.#takingBack) return;
    this.#takingBack = true;
    const session = this.#session;
    await this.#encoder?.drained();
    this.#takingBack = false;
    if (session === this.#session && this.#wished() === null && this.#format !== null)
      this.#say(null);
  }

  #say(format: SoundFormat | null): void {
    if (this.#session === null) return;
    this.#format = format;
    this.#session.send({ type: 'sound', sound: format });
  }
}
