/** The admin's microphone, as long as it is wished for; another one in its place where it is not there. */

import { type DeviceChoice, sameDevice } from './choice.ts';
import { type MicrophoneFacts, type MicrophoneProblem, NO_MICROPHONE } from './facts.ts';

/** The part of the browser's devices that is used. */
export type Devices = Pick<
  MediaDevices,
  'getUserMedia' | 'enumerateDevices' | 'addEventListener' | 'removeEventListener'
>;

export interface MicrophoneOptions {
  /** It is this track from now on, or none, and why. */
  onTrack: (track: MediaStreamTrack | null, facts: MicrophoneFacts) => void;
  devices?: Devices;
  /** Tells when the page may listen, or may no more, as `change`; left out: nothing does. */
  permission?: () => Promise<EventTarget>;
}

/** The voice of somebody who hears the shared sound from loudspeakers; how loud it is is the admin's choice. */
const VOICE: MediaTrackConstraints = {
  echoCancellation: true,
  noiseSuppression: true,
  autoGainControl: false,
};

export class Microphone {
  readonly #options: MicrophoneOptions;
  readonly #devices: Devices;
  #open = false;
  #wish: DeviceChoice | null = null;
  #track: MediaStreamTrack | null = null;
  #facts = NO_MICROPHONE;
  #permission: EventTarget | null = null;
  /** Counts wishes, so that what was begun for an earlier one knows. */
  #turn = 0;

  constructor(options: MicrophoneOptions) {
    this.#options = options;
    this.#devices = options.devices ?? navigator.mediaDevices;
  }

  /** This one is to be listened to, while it is open; null: none. */
  wish(device: DeviceChoice | null): void {
    if (sameDevice(device, this.#wish)) return;
    this.#wish = device;
    if (this.#open) void this.#find(null);
  }

  /** Something is shared from now on. */
  open(): void {
    if (this.#open) return;
    this.#open = true;
    this.#devices.addEventListener('devicechange', this.#look);
    void this.#watchPermission();
    void this.#find(null);
  }

  /** Nothing is shared any more: nobody is listened to. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#turn += 1;
    this.#devices.removeEventListener('devicechange', this.#look);
    this.#let();
    this.#facts = NO_MICROPHONE;
  }

  /** The panel asks for it, in a window that the admin sees. */
  async #watchPermission(): Promise<void> {
    if (this.#permission !== null) return;
    this.#permission = (await this.#options.permission?.().catch(() => null)) ?? null;
    this.#permission?.addEventListener('change', this.#look);
  }

  /** The one that was missing may be there by now, or the page may listen. */
  #look = (): void => {
    if (!this.#open) return;
    if (this.#facts.problem !== null) void this.#find(this.#facts.problem);
  };

  /** `problem`: why it is looked for again; it stays where another one has to do. */
  async #find(problem: MicrophoneProblem | null): Promise<void> {
    this.#turn += 1;
    const turn = this.#turn;
    const wish = this.#wish;
    if (wish === null) {
      this.#let();
      if (this.#facts !== NO_MICROPHONE) this.#tell(NO_MICROPHONE);
      return;
    }
    const found = await this.#capture(wish, problem);
    if (turn !== this.#turn) {
      found.track?.stop();
      return;
    }
    const before = this.#track;
    this.#track = found.track;
    found.track?.addEventListener('ended', () => {
      if (found.track !== this.#track) return;
      this.#track = null;
      void this.#find('unplugged');
    });
    this.#tell(found.facts);
    // The one before is let go of once the other is there.
    before?.stop();
  }

  async #capture(
    wish: DeviceChoice,
    problem: MicrophoneProblem | null,
  ): Promise<{ track: MediaStreamTrack | null; facts: MicrophoneFacts }> {
    try {
      const track = await this.#wished(wish);
      if (track !== null) return { track, facts: { label: track.label, problem: null } };
      const other = await this.#ask({});
      return { track: other, facts: { label: other.label, problem: problem ?? 'missing' } };
    } catch (error) {
      const why = problemOf(error);
      // That there is none left is what unplugging the last one comes to.
      const facts = { label: null, problem: why === 'missing' ? (problem ?? why) : why };
      return { track: null, facts };
    }
  }

  /** Null: it is not there. */
  async #wished({ id, label }: DeviceChoice): Promise<MediaStreamTrack | null> {
    const named = await this.#byId(id);
    if (named !== null || label === '') return named;
    // Browsers name devices anew for another profile, or once they were told to forget.
    const all = await this.#devices.enumerateDevices();
    const same = all.find((device) => device.kind === 'audioinput' && device.label === label);
    return same === undefined ? null : this.#byId(same.deviceId);
  }

  async #byId(id: string): Promise<MediaStreamTrack | null> {
    try {
      return await this.#ask({ deviceId: { exact: id } });
    } catch (error) {
      if (error instanceof Error && error.name === 'OverconstrainedError') return null;
      throw error;
    }
  }

  async #ask(which: MediaTrackConstraints): Promise<MediaStreamTrack> {
    const stream = await this.#devices.getUserMedia({ audio: { ...VOICE, ...which } });
    const [track] = stream.getAudioTracks();
    if (track === undefined) throw new Error('a microphone without sound');
    return track;
  }

  #let(): void {
    const track = this.#track;
    this.#track = null;
    track?.stop();
  }

  #tell(facts: MicrophoneFacts): void {
    this.#facts = facts;
    this.#options.onTrack(this.#track, facts);
  }
}

const PROBLEMS: Partial<Record<string, MicrophoneProblem>> = {
  NotAllowedError: 'denied',
  SecurityError: 'denied',
  NotFoundError: 'missing',
  NotReadableError: 'busy',
  AbortError: 'busy',
};

function problemOf(error: unknown): MicrophoneProblem {
  return (error instanceof Error ? PROBLEMS[error.name] : undefined) ?? 'failed';
}
