/**
 * `window.steadycast` of a capture host: what support asks an admin to read out, and what tests
 * read. Read-only, and a public interface: fields are added, not changed.
 */

import type { CaptureHost } from '../../publish/host.ts';
import type { HostStatus } from '../../publish/status.ts';

export interface HostDiagnostics {
  /** State, figures and totals, at most half a second old; null until the host runs. */
  status(): HostStatus | null;
  /** The id by which panels address this host. */
  readonly host: string;
}

export function exposeDiagnostics(host: CaptureHost): void {
  const value: HostDiagnostics = Object.freeze({
    status: () => host.snapshot().status,
    host: host.id,
  });
  Object.defineProperty(window, 'steadycast', { value });
}
