/** The sound of what is shared: how browsers are asked for it, and what they really give. */

import type { SharedFacts, SharedKind } from './facts.ts';

/** Members that the platform types lack. */
export interface SharedSoundOptions {
  audio: SharedSoundConstraints;
  /** The dialog offers the system's sound with a screen. */
  systemAudio: 'include';
  /** Of a window its own sound is offered, where the system can tell it from others'. */
  windowAudio: 'window';
}

interface SharedSoundConstraints extends MediaTrackConstraints {
  suppressLocalAudioPlayback: boolean;
  restrictOwnAudio: boolean;
}

/**
 * As it is, with nothing made of it that is meant for voices. The admin hears it as before; what this page
 * itself plays is no part of it, where browsers can tell.
 */
export const SHARED_SOUND: SharedSoundOptions = {
  audio: {
    echoCancellation: false,
    noiseSuppression: false,
    autoGainControl: false,
    channelCount: 2,
    suppressLocalAudioPlayback: false,
    restrictOwnAudio: true,
  },
  systemAudio: 'include',
  windowAudio: 'window',
};

/** What was captured, by what the browser says of the tracks. `system`: what the system is called. */
export function sharedFacts(
  sound: MediaStreamTrack | null,
  surface: string,
  system = systemName(),
): SharedFacts {
  if (sound !== null)
    return { kind: kindOf(sound.getSettings().deviceId ?? '', surface), lacks: null };
  if (surface === 'browser') return { kind: null, lacks: 'unticked' };
  return { kind: null, lacks: /linux/i.test(system) ? 'tabs-only' : 'not-given' };
}

/** A window's sound may be that of the whole system: Chromium says so by the device that it captures. */
function kindOf(device: string, surface: string): SharedKind {
  if (/application/i.test(device)) return 'window';
  if (/loopback/i.test(device)) return 'system';
  if (surface === 'browser') return 'tab';
  return surface === 'window' ? 'window' : 'system';
}

interface NavigatorWithSystem extends Navigator {
  userAgentData?: { platform: string };
}

function systemName(): string {
  const { userAgentData, userAgent } = navigator as NavigatorWithSystem;
  return userAgentData?.platform ?? userAgent;
}
