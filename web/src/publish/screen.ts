/** Asking the browser for the screen, and what its refusals mean. */

import { hostWords } from '../words/host.ts';
import { SIDE_MAX } from './crop.ts';
import { SHARED_SOUND, type SharedSoundOptions } from './sound/shared.ts';

/** gesture: the browser wants a click in this window; cancelled: the admin closed the picker. */
export type AskFailure =
  | { kind: 'gesture' }
  | { kind: 'cancelled' }
  | { kind: 'failed'; reason: string };

/** `sound`: null where there is none. */
export type Asked =
  | { kind: 'shared'; picture: MediaStreamTrack; sound: MediaStreamTrack | null }
  | AskFailure;

/** Nobody closes a picker this fast. */
const REFLEX_MS = 250;

/** Members that the platform types lack. */
interface ScreenConstraints extends MediaTrackConstraints {
  cursor: 'always' | 'motion' | 'never';
}

/** Members that the platform types lack. */
interface ScreenOptions extends SharedSoundOptions {
  video: ScreenConstraints;
  selfBrowserSurface: 'exclude';
  surfaceSwitching: 'include';
}

/**
 * To be asked for with every change: without a size browsers take the one that the source, or the
 * first screen, has at the start, and scale a larger picture down to it. A crop would show something
 * else then.
 */
export function captureLimits(frameRate: number): ScreenConstraints {
  return {
    // Viewers follow it. Chromium takes it with the picture whatever is asked for.
    cursor: 'always',
    frameRate: { ideal: frameRate, max: frameRate },
    width: { max: SIDE_MAX },
    height: { max: SIDE_MAX },
  };
}

/** `surface`: what kind of source the picker shows first (a name of the API; others are ignored). */
export async function askForScreen(frameRate: number, surface: string): Promise<Asked> {
  const askedMs = performance.now();
  const options: ScreenOptions = {
    video: { ...captureLimits(frameRate), displaySurface: surface },
    ...SHARED_SOUND,
    selfBrowserSurface: 'exclude',
    surfaceSwitching: 'include',
  };
  try {
    const stream = await navigator.mediaDevices.getDisplayMedia(options);
    const [picture] = stream.getVideoTracks();
    const [sound = null] = stream.getAudioTracks();
    if (picture !== undefined) return { kind: 'shared', picture, sound };
    sound?.stop();
    return { kind: 'failed', reason: hostWords().failures.noPicture };
  } catch (error) {
    const name = error instanceof Error ? error.name : '';
    const message = error instanceof Error ? error.message : String(error);
    const active = navigator.userActivation?.isActive ?? true;
    return explainRefusal(name, message, performance.now() - askedMs, active);
  }
}

/** `active`: the window had a fresh click. */
export function explainRefusal(
  name: string,
  message: string,
  afterMs: number,
  active: boolean,
): AskFailure {
  if (name === 'InvalidStateError') return { kind: 'gesture' };
  if (name !== 'NotAllowedError') return { kind: 'failed', reason: message };
  if (/system/i.test(message)) {
    return { kind: 'failed', reason: hostWords().failures.system };
  }
  return !active && afterMs < REFLEX_MS ? { kind: 'gesture' } : { kind: 'cancelled' };
}

/** Whether this browser has what a capture host needs; null, or what is missing. */
export function missingForHost(): string | null {
  const words = hostWords().failures;
  if (!window.isSecureContext) return words.insecure;
  const needed = {
    [words.capture]: 'getDisplayMedia' in (navigator.mediaDevices ?? {}),
    [words.frames]: 'MediaStreamTrackProcessor' in window,
    [words.encoder]: 'VideoEncoder' in window,
    WebTransport: 'WebTransport' in window,
  };
  const missing = Object.entries(needed).filter(([, there]) => !there);
  if (missing.length === 0) return null;
  return words.lacks(missing.map(([name]) => name).join(', '));
}
