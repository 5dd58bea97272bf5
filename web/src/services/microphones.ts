/** The microphones of this computer, for a page that offers them. */

import type { DeviceChoice } from '../publish/sound/choice.ts';

/** The part of the browser's devices that is used. */
type Devices = Pick<MediaDevices, 'getUserMedia' | 'enumerateDevices'>;

export interface Microphones {
  /** Whether this page may listen: only then do browsers say what there is. */
  allowed: boolean;
  devices: readonly DeviceChoice[];
}

export const NO_MICROPHONES: Microphones = { allowed: false, devices: [] };

/** What there is, as far as the browser says it. */
export async function findMicrophones(
  devices: Devices = navigator.mediaDevices,
): Promise<Microphones> {
  const all = await devices.enumerateDevices();
  const known = all.filter(({ kind, deviceId }) => kind === 'audioinput' && deviceId !== '');
  return {
    allowed: known.length > 0,
    devices: known.map(({ deviceId, label }) => ({ id: deviceId, label })),
  };
}

/** Why no microphone was found; null: the admin may listen. */
export type MicrophoneRefusal = 'denied' | 'missing' | 'failed';

/**
 * Has the browser ask whether this page may listen, where the admin sees it: what captures is a window that
 * may lie under others. Nothing is listened to. Call it from a click.
 */
export async function allowMicrophones(
  devices: Devices = navigator.mediaDevices,
): Promise<MicrophoneRefusal | null> {
  try {
    const stream = await devices.getUserMedia({ audio: true });
    for (const track of stream.getTracks()) track.stop();
    return null;
  } catch (error) {
    const name = error instanceof Error ? error.name : '';
    if (name === 'NotAllowedError') return 'denied';
    return name === 'NotFoundError' ? 'missing' : 'failed';
  }
}
