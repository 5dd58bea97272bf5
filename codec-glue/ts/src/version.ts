/** Which versions are spoken, and what a version may leave unread (PROTOCOL 2.11, 2.12). */

/** The newest version of the protocol that is spoken here. */
export const PROTOCOL_VERSION = 6;
/** The oldest one. */
export const PROTOCOL_VERSION_MIN = 1;

/** Messages of this variant and above may be skipped by who does not know them (PROTOCOL 2.12). */
export const SKIPPABLE = 64;

/** The first version whose sessions know of pauses. */
export const PAUSES_SINCE = 4;
/** The first version whose sessions know of sound. */
export const SOUND_SINCE = 5;
/** The first version whose sessions know of sealed frames. */
export const SEALED_SINCE = 6;

/** Versions of the protocol, from the oldest to the newest. */
export interface Versions {
  min: number;
  max: number;
}

/** What a session with a peer of these versions speaks: the highest that both know, or null. */
export function agree({ min, max }: Versions): number | null {
  const version = Math.min(max, PROTOCOL_VERSION);
  return version >= Math.max(min, PROTOCOL_VERSION_MIN) ? version : null;
}
