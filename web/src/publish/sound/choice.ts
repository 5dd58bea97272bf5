/** What the admin asks of the sound. */

import { isFlag, isRecord, isText, orNull, shape, within } from '../../session/parse.ts';

/** How a source goes into the mix. */
export interface SourceChoice {
  /** 1: as loud as it is recorded. */
  gain: number;
  muted: boolean;
}

/** A device, by what browsers tell of it. */
export interface DeviceChoice {
  /** The browser's name for it, which another profile or origin knows nothing of. */
  id: string;
  /** Its name for people; empty where the browser has not told it. */
  label: string;
}

export interface MicrophoneChoice extends SourceChoice {
  /** Null: there is to be no microphone. */
  device: DeviceChoice | null;
}

export interface SoundChoice {
  /** The sound of what is shared. */
  shared: SourceChoice;
  microphone: MicrophoneChoice;
}

export const GAIN_MAX = 2;

export const DEFAULT_SOUND: SoundChoice = {
  shared: { gain: 1, muted: false },
  microphone: { gain: 1, muted: false, device: null },
};

const isGain = within(0, GAIN_MAX);

export const isSoundChoice = shape<SoundChoice>({
  shared: shape<SourceChoice>({ gain: isGain, muted: isFlag }),
  microphone: shape<MicrophoneChoice>({
    gain: isGain,
    muted: isFlag,
    device: orNull(shape<DeviceChoice>({ id: isText, label: isText })),
  }),
});

/** What was kept, or how it is where nothing was. */
export function soundChoiceOf(value: unknown): SoundChoice {
  return isRecord(value) && isSoundChoice(value) ? value : DEFAULT_SOUND;
}

export function sameSound(one: SoundChoice, other: SoundChoice): boolean {
  return (
    sameSource(one.shared, other.shared) &&
    sameSource(one.microphone, other.microphone) &&
    sameDevice(one.microphone.device, other.microphone.device)
  );
}

export function sameDevice(one: DeviceChoice | null, other: DeviceChoice | null): boolean {
  return one?.id === other?.id && one?.label === other?.label;
}

/** How loud a source is to be, in the end. */
export function loudnessOf({ gain, muted }: SourceChoice): number {
  return muted ? 0 : gain;
}

function sameSource(one: SourceChoice, other: SourceChoice): boolean {
  return one.gain === other.gain && one.muted === other.muted;
}
