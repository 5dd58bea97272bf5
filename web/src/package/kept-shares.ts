/**
 * Services whose page captures itself, after their component has gone: a share is the document's, and does not end
 * because an app shows something else. The next component of the same broadcast has the same service.
 */

import { isSharing } from '../publish/status.ts';
import type { AdminScreenShareService } from '../services/AdminScreenShareService.ts';

const kept = new Map<string, { service: AdminScreenShareService; release: () => void }>();

/** Closes the service, or keeps it open for as long as this page shares. */
export function putAside(key: string, service: AdminScreenShareService): void {
  if (!isNeeded(service)) {
    service.close();
    return;
  }
  const unsubscribe = service.subscribe(() => {
    if (isNeeded(service)) return;
    takeBack(key);
    service.close();
  });
  // Nobody else asks while the panel is not there.
  const ask = (event: BeforeUnloadEvent) => event.preventDefault();
  addEventListener('beforeunload', ask);
  const release = () => {
    unsubscribe();
    removeEventListener('beforeunload', ask);
  };
  kept.set(key, { service, release });
}

/** What was put aside by that name; null: nothing. */
export function takeBack(key: string): AdminScreenShareService | null {
  const found = kept.get(key);
  kept.delete(key);
  found?.release();
  return found?.service ?? null;
}

function isNeeded(service: AdminScreenShareService): boolean {
  const { inside, status } = service.snapshot();
  return inside && status !== null && isSharing(status.state);
}
