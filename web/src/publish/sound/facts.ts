/** What a capture host says of its sound. */

import { type Check, isCount, isText, oneOf, orNull, shape, within } from '../../session/parse.ts';
import { DEFAULT_SOUND, isSoundChoice, type SoundChoice } from './choice.ts';

export const SOURCES = ['shared', 'microphone'] as const;
export type SourceName = (typeof SOURCES)[number];

/** Whose sound is captured with the picture. */
export const SHARED_KINDS = ['tab', 'window', 'system'] as const;
export type SharedKind = (typeof SHARED_KINDS)[number];

export const SHARED_LACKS = [
  /** The box for sound in the browser's dialog was left off. */
  'unticked',
  /** Browsers on this system have the sound of tabs alone. */
  'tabs-only',
  /** The box was left off, or there was none. */
  'not-given',
  /** It was there, and has ended while the picture goes on. */
  'ended',
] as const;
export type SharedLack = (typeof SHARED_LACKS)[number];

/** Both null: nothing is shared. */
export interface SharedFacts {
  kind: SharedKind | null;
  /** Why there is none. */
  lacks: SharedLack | null;
}

export const MICROPHONE_PROBLEMS = [
  /** The browser does not let this page listen. */
  'denied',
  /** There is none, or the chosen one is not there; with a label, another one is used. */
  'missing',
  /** It was there, and is not any more; with a label, another one is used. */
  'unplugged',
  /** Another program has it, or the system does not give it. */
  'busy',
  'failed',
] as const;
export type MicrophoneProblem = (typeof MICROPHONE_PROBLEMS)[number];

export interface MicrophoneFacts {
  /** Which one is captured; null: none. */
  label: string | null;
  problem: MicrophoneProblem | null;
}

/** From 0 to 1, of what goes into the mix of each source. */
export type Levels = Record<SourceName, number>;

export interface SoundFacts {
  choice: SoundChoice;
  shared: SharedFacts;
  microphone: MicrophoneFacts;
  /** Of what is made for viewers; null: there is nothing to hear. */
  channels: number | null;
  /** How many viewers are to hear it, as the relay says. */
  listeners: number;
  /** How many earlier frames each datagram repeats, for the network loses some. */
  repeats: number;
  bitsPerSecond: number;
  /** Totals since the host began: frames sent, and those for which encoder or network had no room. */
  sent: number;
  left: number;
  /** How often a source broke off, or came too fast to be mixed. */
  gaps: number;
}

export const NOTHING_SHARED: SharedFacts = { kind: null, lacks: null };
export const NO_MICROPHONE: MicrophoneFacts = { label: null, problem: null };

/** Of a host that knows nothing of sound. */
export const NO_SOUND: SoundFacts = {
  choice: DEFAULT_SOUND,
  shared: NOTHING_SHARED,
  microphone: NO_MICROPHONE,
  channels: null,
  listeners: 0,
  repeats: 0,
  bitsPerSecond: 0,
  sent: 0,
  left: 0,
  gaps: 0,
};

const isLevel = within(0, 1);

export const areLevels: Check<Levels> = shape<Levels>({ shared: isLevel, microphone: isLevel });

export const isSoundFacts = shape<SoundFacts>({
  choice: isSoundChoice,
  shared: shape<SharedFacts>({
    kind: orNull(oneOf(SHARED_KINDS)),
    lacks: orNull(oneOf(SHARED_LACKS)),
  }),
  microphone: shape<MicrophoneFacts>({
    label: orNull(isText),
    problem: orNull(oneOf(MICROPHONE_PROBLEMS)),
  }),
  channels: orNull(isCount),
  listeners: isCount,
  repeats: isCount,
  bitsPerSecond: isCount,
  sent: isCount,
  left: isCount,
  gaps: isCount,
});

/** The sources that viewers hear, or would where they listen: captured, and not muted. */
export function audibleOf({ choice, shared, microphone }: SoundFacts): SourceName[] {
  const there = { shared: shared.kind !== null, microphone: microphone.label !== null };
  return SOURCES.filter((name) => {
    const { muted, gain } = choice[name];
    return there[name] && !muted && gain > 0;
  });
}
