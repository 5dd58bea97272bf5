/** What is said of the sound, in words; pure. */

import {
  audibleOf,
  type MicrophoneFacts,
  type SoundFacts,
  type SourceName,
} from '../../../publish/sound/facts.ts';
import { type HostStatus, isSharing } from '../../../publish/status.ts';
import { soundWords } from '../../../words/sound.ts';

export interface SoundSaid {
  /** Whether viewers hear anything. */
  heard: boolean;
  text: string;
  /** Why there is less than there could be; null: it is as it should be. */
  hint: string | null;
}

/** Null: nothing is shared. */
export function saidOf(status: HostStatus | null): SoundSaid {
  const words = soundWords();
  if (status === null || !isSharing(status.state))
    return { heard: false, text: words.notShared, hint: null };
  const { sound } = status;
  const what = listOf(sound, audibleOf(sound));
  return {
    heard: what !== null,
    text: what === null ? nothingHeard(status) : heardAs(status, what),
    hint: sound.shared.lacks === null ? null : words.lacks[sound.shared.lacks],
  };
}

/** What is the matter with the microphone; null: nothing. */
export function problemSaid({ label, problem }: MicrophoneFacts): string | null {
  if (problem === null) return null;
  const { instead, problems } = soundWords();
  const replaced = problem === 'missing' || problem === 'unplugged';
  return replaced && label !== null ? instead[problem](label) : problems[problem];
}

function listOf(sound: SoundFacts, audible: readonly SourceName[]): string | null {
  const words = soundWords();
  const names = audible.map((name) => {
    return words.sources[name === 'shared' ? (sound.shared.kind ?? 'system') : name];
  });
  const [one, other] = names;
  if (one === undefined) return null;
  return other === undefined ? one : words.and(one, other);
}

function heardAs({ state }: HostStatus, what: string): string {
  const words = soundWords();
  if (state === 'standby') return words.hearLater(what);
  return state === 'paused' ? words.hearPaused(what) : words.hear(what);
}

function nothingHeard({ state, sound }: HostStatus): string {
  const words = soundWords();
  if (state === 'standby') return words.hearNothingLater;
  const captured = sound.shared.kind !== null || sound.microphone.label !== null;
  return captured ? words.mutedAll : words.hearNothing;
}
