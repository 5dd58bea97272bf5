import { useEffect, useState } from 'react';

/** The time, anew every second, while there is something to count. */
export function useNow(counting = true): number {
  const [nowMs, setNowMs] = useState(Date.now);
  useEffect(() => {
    if (!counting) return;
    setNowMs(Date.now());
    const timer = setInterval(() => setNowMs(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, [counting]);
  return nowMs;
}
