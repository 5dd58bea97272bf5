import { useEffect } from 'react';

/** Keeps the screen lit while `wanted` and the page is seen: nobody touches anything while they watch. */
export function useWakeLock(wanted: boolean): void {
  useEffect(() => {
    // Only secure pages have it.
    if (!wanted || !('wakeLock' in navigator)) return;
    let over = false;
    let asking = false;
    let lock: WakeLockSentinel | null = null;
    const hold = async () => {
      // The browser lets go of it by itself when the page is hidden.
      if (document.hidden || asking || lock?.released === false) return;
      asking = true;
      try {
        const held = await navigator.wakeLock.request('screen');
        if (over) await held.release();
        else lock = held;
      } catch {
        // Refused, to save power, say: the next time the page is seen is time enough.
      }
      asking = false;
    };
    void hold();
    document.addEventListener('visibilitychange', hold);
    return () => {
      over = true;
      document.removeEventListener('visibilitychange', hold);
      lock?.release().catch(() => undefined);
    };
  }, [wanted]);
}
