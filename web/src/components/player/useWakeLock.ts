import { useEffect } from 'react';
import { keepAwake } from '../../services/wake-lock.ts';

/** Keeps the screen lit while `wanted` and the page is seen. */
export function useWakeLock(wanted: boolean): void {
  useEffect(() => (wanted ? keepAwake() : undefined), [wanted]);
}
