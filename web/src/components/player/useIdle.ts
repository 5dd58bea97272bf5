import { useCallback, useEffect, useRef, useState } from 'react';

/** Whether the viewer has not touched anything for `ms`; `stir` is to be called when they do. */
export function useIdle(ms: number) {
  const [idle, setIdle] = useState(false);
  const timer = useRef<number | undefined>(undefined);

  const stir = useCallback(() => {
    setIdle(false);
    window.clearTimeout(timer.current);
    timer.current = window.setTimeout(() => setIdle(true), ms);
  }, [ms]);

  useEffect(() => {
    stir();
    return () => window.clearTimeout(timer.current);
  }, [stir]);

  return { idle, stir };
}
