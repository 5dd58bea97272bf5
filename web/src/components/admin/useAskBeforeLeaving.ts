import { useEffect } from 'react';

/**
 * Has the browser ask before it closes, reloads or leaves this page while `asked`. Browsers ask only in
 * pages that somebody has touched.
 */
export function useAskBeforeLeaving(asked: boolean): void {
  useEffect(() => {
    if (!asked) return;
    const ask = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener('beforeunload', ask);
    return () => window.removeEventListener('beforeunload', ask);
  }, [asked]);
}
