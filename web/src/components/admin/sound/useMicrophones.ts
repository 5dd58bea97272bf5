import { useEffect, useState } from 'react';
import {
  findMicrophones,
  type Microphones,
  NO_MICROPHONES,
} from '../../../services/microphones.ts';

/** The microphones that there are; with what has them looked for again, and gives what was found. */
export function useMicrophones(): [Microphones, look: () => Promise<Microphones>] {
  const [microphones, setMicrophones] = useState(NO_MICROPHONES);
  const look = async () => {
    const found = await findMicrophones().catch(() => NO_MICROPHONES);
    setMicrophones(found);
    return found;
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: it looks once, and when the browser says so.
  useEffect(() => {
    // In a page that is not secure there are none.
    const { mediaDevices } = navigator as { mediaDevices?: MediaDevices };
    if (mediaDevices === undefined) return;
    const changed = () => void look();
    changed();
    mediaDevices.addEventListener('devicechange', changed);
    return () => mediaDevices.removeEventListener('devicechange', changed);
  }, []);
  return [microphones, look];
}
