/** Keeps the screen lit: nobody touches anything while they watch, or while others watch their screen. */

/** Holds the screen while this page is seen; returns what lets go of it. */
export function keepAwake(): () => void {
  // Only secure pages have it.
  if (!('wakeLock' in navigator)) return () => undefined;
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
}
